package io.holdfast.chaos.fault;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * The system calls that a netlink socket in another network namespace takes, by {@code
 * java.lang.foreign}. Linux on 64 bits.
 */
final class Kernel {
    static final int POLLIN = 1;

    /** Nothing to read at the moment. */
    static final int EAGAIN = 11;

    /** More messages than the socket's buffer holds; the next ones can be read again. */
    static final int ENOBUFS = 105;

    private static final int O_CLOEXEC = 02000000;
    private static final int CLONE_NEWNET = 0x40000000;
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int NETLINK_NETFILTER = 12;
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int MSG_DONTWAIT = 0x40;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle OPEN =
            downcall(
                    "open",
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
                    Linker.Option.captureCallState("errno"),
                    Linker.Option.firstVariadicArg(2));
    private static final MethodHandle CLOSE = handle("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle SETNS = handle("setns", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SOCKET =
            handle("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SETSOCKOPT =
            handle("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SEND =
            handle("send", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle RECV =
            handle("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle PPOLL =
            handle("ppoll", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle STRERROR =
            downcall("strerror", FunctionDescriptor.of(ADDRESS, JAVA_INT));

    private Kernel() {}

    private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... args) {
        return downcall(
                name, FunctionDescriptor.of(result, args), Linker.Option.captureCallState("errno"));
    }

    @SuppressWarnings("restricted") // the JDK has no other door to these calls
    private static MethodHandle downcall(
            String name, FunctionDescriptor type, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, options);
    }

    /** A system call that was refused. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1;
        private final int errno;

        Refused(String call, int errno) {
            super(call + ": " + reason(errno));
            this.errno = errno;
        }

        int errno() {
            return errno;
        }
    }

    /** What the system calls an error. */
    @SuppressWarnings("restricted") // a C string does not say how long it is
    static String reason(int errno) {
        try {
            return ((MemorySegment) STRERROR.invokeExact(errno)).reinterpret(256).getString(0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** A call whose result is -1 when it was refused, and then {@code errno} in the state says why. */
    private interface Call {
        long with(MemorySegment state, Arena arena) throws Throwable;
    }

    private static long call(String name, Call call) throws Refused {
        long result;
        int errno;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            result = call.with(state, arena);
            errno = (int) ERRNO.get(state, 0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (result < 0) {
            throw new Refused(name, errno);
        }
        return result;
    }

    /**
     * A socket that speaks with the packet filter of another process' network namespace. It stays
     * there whichever thread uses it.
     *
     * @param buffer bytes of messages that may wait to be read
     */
    static int netfilterSocket(long pid, int buffer) throws IOException {
        // The namespace is the thread's: this one ends with it.
        CompletableFuture<Integer> opened = new CompletableFuture<>();
        Thread visitor =
                Thread.ofPlatform()
                        .name("visitor of the namespace of " + pid)
                        .start(() -> {
                            try {
                                enter(pid);
                                opened.complete(socket(buffer));
                            } catch (Throwable e) {
                                opened.completeExceptionally(e);
                            }
                        });
        try {
            int socket = opened.get();
            visitor.join();
            return socket;
        } catch (ExecutionException e) {
            throw new IOException("namespace of " + pid + ": " + e.getCause(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("namespace of " + pid);
        }
    }

    private static void enter(long pid) throws Refused {
        String path = "/proc/" + pid + "/ns/net";
        int namespace =
                (int)
                        call(
                                "open " + path,
                                (state, arena) ->
                                        (int)
                                                OPEN.invokeExact(
                                                        state,
                                                        arena.allocateFrom(path),
                                                        O_CLOEXEC));
        try {
            call("setns", (state, _) -> (int) SETNS.invokeExact(state, namespace, CLONE_NEWNET));
        } finally {
            close(namespace);
        }
    }

    private static int socket(int buffer) throws Refused {
        int socket =
                (int)
                        call(
                                "socket",
                                (state, _) ->
                                        (int)
                                                SOCKET.invokeExact(
                                                        state,
                                                        AF_NETLINK,
                                                        SOCK_RAW | O_CLOEXEC,
                                                        NETLINK_NETFILTER));
        try {
            call(
                    "setsockopt",
                    (state, arena) ->
                            (int)
                                    SETSOCKOPT.invokeExact(
                                            state,
                                            socket,
                                            SOL_SOCKET,
                                            SO_RCVBUFFORCE,
                                            arena.allocateFrom(JAVA_INT, buffer),
                                            Integer.BYTES));
            return socket;
        } catch (Refused e) {
            close(socket);
            throw e;
        }
    }

    static void close(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            var _ = (int) CLOSE.invokeExact(arena.allocate(STATE), descriptor);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void send(int socket, MemorySegment message) throws Refused {
        call(
                "send",
                (state, _) ->
                        (long) SEND.invokeExact(state, socket, message, message.byteSize(), 0));
    }

    /** Does not wait. @return bytes that were read */
    static int receive(int socket, MemorySegment into) throws Refused {
        return (int)
                call(
                        "recv",
                        (state, _) ->
                                (long)
                                        RECV.invokeExact(
                                                state,
                                                socket,
                                                into,
                                                into.byteSize(),
                                                MSG_DONTWAIT));
    }

    /**
     * Waits until one of some sockets can be read.
     *
     * @param polled an array of {@code struct pollfd}
     * @param nanos at most so long
     */
    static void poll(MemorySegment polled, long nanos) throws Refused {
        call(
                "ppoll",
                (state, arena) ->
                        (int)
                                PPOLL.invokeExact(
                                        state,
                                        polled,
                                        polled.byteSize() / Long.BYTES,
                                        arena.allocateFrom(
                                                JAVA_LONG,
                                                nanos / 1_000_000_000,
                                                nanos % 1_000_000_000),
                                        MemorySegment.NULL));
    }
}
