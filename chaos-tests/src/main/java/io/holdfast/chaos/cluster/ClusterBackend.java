package io.holdfast.chaos.cluster;

import io.holdfast.chaos.fault.FaultUnavailable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Machines that run a cluster, and what can befall them. Faults come from outside the programs;
 * each ends with its counterpart ({@link #resume}, {@link #heal}, {@link #free}) or with {@link
 * #close}, which leaves nothing behind. Thread-safe.
 *
 * <p>Every machine has a supervisor, as systemd would be with {@code Restart=always}: a program that
 * ends by itself is started again after a second, and {@link #endings} says so. One that was {@link
 * #kill}ed stays down until it is started.
 */
public interface ClusterBackend extends AutoCloseable {
    /**
     * A machine: it runs one program.
     *
     * @param name of the machine and of the program's log
     * @param addresses IPv4 addresses, all in 10.0.0.0/8
     * @param disk folder that holds whatever the program writes
     * @param program command line
     */
    record Machine(String name, List<String> addresses, Path disk, List<String> program) {
        /** Copies the lists. */
        public Machine {
            addresses = List.copyOf(addresses);
            program = List.copyOf(program);
        }
    }

    /**
     * A program that ended by itself.
     *
     * @param exit its exit code
     * @param log what it wrote until then
     */
    record Ending(int exit, Path log) {}

    /** A new machine on the network, its program not started. */
    void add(Machine machine) throws IOException;

    /**
     * Puts a machine's disk on a file system of this size, with what lies there now. Before its
     * start.
     */
    void limitDisk(String machine, long bytes) throws IOException, FaultUnavailable;

    /** Lets {@link #clock} work on a machine. Before its start. */
    void ownClock(String machine) throws IOException, FaultUnavailable;

    /** Starts programs. From now on they are supervised. */
    void start(Collection<String> machines) throws IOException;

    /**
     * Starts another program on a machine than its own, and supervises it the same way. The next {@link
     * #start} brings its own back.
     */
    void startInstead(String machine, List<String> program) throws IOException;

    /** SIGKILL to all of these at once; they are down when this returns, and stay down. */
    void kill(Collection<String> machines) throws IOException, InterruptedException;

    /** SIGSTOP: the programs stand still, their connections stay open. */
    void pause(Collection<String> machines) throws IOException;

    /** SIGCONT. */
    void resume(Collection<String> machines) throws IOException;

    /** What {@code from} sends does not arrive at {@code to} any more; the other way does. */
    void cut(String from, String to) throws IOException;

    /** No packet passes between the two groups any more. Within each, everything does. */
    default void partition(Collection<String> some, Collection<String> others) throws IOException {
        for (String one : some) {
            for (String other : others) {
                cut(one, other);
                cut(other, one);
            }
        }
    }

    /**
     * Every packet between the two groups arrives so much later, in both directions, as over a long
     * line; bandwidth is as before. Within each group, and at the desk, nothing changes.
     */
    void delay(Collection<String> left, Collection<String> right, Duration oneWay)
            throws IOException, FaultUnavailable;

    /** All links work again, and are fast. @return how many packets were dropped since the last time */
    long heal() throws IOException;

    /** Fills a limited disk but for some bytes. */
    void fill(String machine, long leave) throws IOException;

    /** Takes away what {@link #fill} has put there. */
    void free(String machine) throws IOException;

    /** Deletes everything on a machine's disk, as if it were a new one. */
    void wipe(String machine) throws IOException;

    /** Sets a machine's wall clock this far ahead, or back; monotonic time goes on as before. */
    void clock(String machine, Duration ahead) throws IOException;

    /** Whether the program runs, if only just started. */
    boolean isAlive(String machine);

    /** How often and how a program has ended by itself, oldest first. */
    List<Ending> endings(String machine);

    /** A program at the operator's desk, which reaches every machine whatever is cut. */
    Process atDesk(List<String> command) throws IOException;

    /** A program on a machine, beside its own: what it can reach, this one can. Not supervised. */
    Process beside(String machine, List<String> command) throws IOException;

    /** The last lines of a program's newest log. */
    List<String> tail(String machine, int lines);

    /** The newest log of a program; empty before its first start. */
    Optional<Path> log(String machine);

    /** Ends all programs and takes the machines away. */
    @Override
    void close() throws IOException;
}
