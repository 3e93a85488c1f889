package io.holdfast.chaos.fault;

import java.io.IOException;

/** Signals to processes that the caller has started. */
public final class Signals {
    private Signals() {}

    /** SIGKILL: the process ends now and writes nothing more. */
    public static void kill(long pid) throws IOException {
        send("KILL", pid);
    }

    /** SIGSTOP: the process stands still; its sockets stay open. */
    public static void pause(long pid) throws IOException {
        send("STOP", pid);
    }

    /** SIGCONT: the process goes on. */
    public static void resume(long pid) throws IOException {
        send("CONT", pid);
    }

    private static void send(String signal, long pid) throws IOException {
        Tool.must("kill", "-" + signal, Long.toString(pid));
    }
}
