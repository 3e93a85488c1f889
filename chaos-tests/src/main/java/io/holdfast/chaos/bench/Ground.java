package io.holdfast.chaos.bench;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Where the servers of a benchmark run, and how they are killed. Closed, all of them have ended. */
interface Ground extends AutoCloseable {
    /** Lines of a log that explain a failure. */
    int TAIL = 15;

    /** What {@code init} must be told of the addresses. */
    String[] hosts();

    /** Starts servers that {@code init} has laid out. */
    void start(Collection<String> servers) throws IOException;

    /** SIGKILL, all at once; they stay down until they are started. */
    void kill(Collection<String> servers) throws IOException, InterruptedException;

    /** The first server that has ended by itself, for people; empty when there is none. */
    Optional<String> ended();

    /** The last lines of a server's log, and how it ended. */
    List<String> tail(String server);

    @Override
    void close() throws IOException;
}
