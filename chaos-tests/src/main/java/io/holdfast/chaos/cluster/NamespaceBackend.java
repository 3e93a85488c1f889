package io.holdfast.chaos.cluster;

import io.holdfast.chaos.fault.ClockShift;
import io.holdfast.chaos.fault.DiskFull;
import io.holdfast.chaos.fault.FaultUnavailable;
import io.holdfast.chaos.fault.VirtualNetwork;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Machines as network namespaces of this one: plain processes, a bridge, nftables. Root only. */
public final class NamespaceBackend implements ClusterBackend {
    private static final long RESTART_MILLIS = 1000;
    private static final List<String> COPY = List.of("cp", "-a");

    private final VirtualNetwork network;
    private final ClusterProcesses processes;
    private final Path work;
    private final Map<String, Host> hosts = new ConcurrentHashMap<>();
    private final List<Process> guests = new ArrayList<>();
    private boolean closed;

    /** A machine and what is wanted of it. */
    private static final class Host {
        final Machine machine;
        final List<Ending> endings = new ArrayList<>();
        boolean wanted;
        @Nullable DiskFull disk;
        @Nullable ClockShift clock;

        Host(Machine machine) {
            this.machine = machine;
        }
    }

    private NamespaceBackend(VirtualNetwork network, Path work, Runnable atInterrupt)
            throws IOException {
        this.network = network;
        this.work = work;
        this.processes =
                new ClusterProcesses(
                        work.resolve("logs"),
                        () -> {
                            takeAway(network, hosts);
                            atInterrupt.run();
                        });
    }

    /**
     * A network without machines.
     *
     * @param work folder for logs and the like
     * @throws FaultUnavailable where this cannot be done, with the reason
     */
    public static NamespaceBackend create(Path work) throws IOException, FaultUnavailable {
        return new NamespaceBackend(VirtualNetwork.create(), work, () -> {});
    }

    /**
     * A network without machines that this process is on, at the operator's desk.
     *
     * @param work folder for logs and the like
     * @param atInterrupt told when the JVM ends while this is open, after all was taken away
     * @throws FaultUnavailable where this cannot be done, with the reason; also where this process was
     *     not started in a network namespace of its own
     */
    public static NamespaceBackend createHere(Path work, Runnable atInterrupt)
            throws IOException, FaultUnavailable {
        return new NamespaceBackend(VirtualNetwork.createHere(), work, atInterrupt);
    }

    private Host host(String machine) {
        Host host = hosts.get(machine);
        if (host == null) {
            throw new IllegalArgumentException("no machine " + machine);
        }
        return host;
    }

    @Override
    public synchronized void add(Machine machine) throws IOException {
        network.attach(machine.name(), machine.addresses());
        hosts.put(machine.name(), new Host(machine));
    }

    @Override
    public synchronized void limitDisk(String machine, long bytes)
            throws IOException, FaultUnavailable {
        Host host = host(machine);
        Path folder = host.machine.disk();
        Path before = folder.resolveSibling(folder.getFileName() + ".before");
        Files.createDirectories(folder);
        Files.move(folder, before);
        host.disk = DiskFull.mount(folder, bytes);
        List<String> copy = new ArrayList<>(COPY);
        copy.addAll(List.of(before + "/.", folder.toString()));
        try {
            if (new ProcessBuilder(copy).inheritIO().start().waitFor() != 0) {
                throw new IOException("cannot copy " + before + " to " + folder);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("copying " + before);
        }
    }

    @Override
    public synchronized void ownClock(String machine) throws IOException, FaultUnavailable {
        host(machine).clock = ClockShift.at(work.resolve(machine + ".clock"));
    }

    @Override
    public synchronized void start(Collection<String> machines) throws IOException {
        for (String machine : machines) {
            Host host = host(machine);
            start(host, host.machine.program());
        }
    }

    @Override
    public synchronized void startInstead(String machine, List<String> program) throws IOException {
        start(host(machine), List.copyOf(program));
    }

    private void start(Host host, List<String> program) throws IOException {
        host.wanted = true;
        List<String> command = host.clock == null ? program : host.clock.around(program);
        String name = host.machine.name();
        ClusterProcesses.Running running = processes.start(name, network.on(name, command), work);
        Thread.ofVirtual()
                .name("supervisor of " + name)
                .start(() -> supervise(host, program, running));
    }

    /** What a supervisor does when a program ends that should run. */
    private void supervise(Host host, List<String> program, ClusterProcesses.Running running) {
        try {
            int exit = running.process().waitFor();
            synchronized (this) {
                if (closed || !host.wanted || isSucceeded(running)) {
                    return;
                }
                host.endings.add(new Ending(exit, running.log()));
            }
            Thread.sleep(RESTART_MILLIS);
            synchronized (this) {
                if (!closed && host.wanted && !isSucceeded(running)) {
                    start(host, program);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            System.err.println(running.name() + " cannot be started again: " + e);
        }
    }

    private boolean isSucceeded(ClusterProcesses.Running running) {
        return !processes.get(running.name()).equals(running);
    }

    @Override
    public synchronized void kill(Collection<String> machines)
            throws IOException, InterruptedException {
        List<String> running = new ArrayList<>();
        for (String machine : machines) {
            host(machine).wanted = false;
            if (processes.names().contains(machine)) {
                running.add(machine);
            }
        }
        processes.kill(running);
    }

    @Override
    public void pause(Collection<String> machines) throws IOException {
        processes.pause(List.copyOf(machines));
    }

    @Override
    public void resume(Collection<String> machines) throws IOException {
        processes.resume(List.copyOf(machines));
    }

    @Override
    public void cut(String from, String to) throws IOException {
        network.cut(from, to);
    }

    @Override
    public void delay(Collection<String> left, Collection<String> right, Duration oneWay)
            throws IOException, FaultUnavailable {
        network.delay(left, right, oneWay);
    }

    @Override
    public long heal() throws IOException {
        return network.heal();
    }

    private synchronized DiskFull disk(String machine) {
        DiskFull disk = host(machine).disk;
        if (disk == null) {
            throw new IllegalStateException("the disk of " + machine + " has no limit");
        }
        return disk;
    }

    @Override
    public void fill(String machine, long leave) throws IOException {
        disk(machine).fill(leave);
    }

    @Override
    public void free(String machine) throws IOException {
        disk(machine).free();
    }

    @Override
    public synchronized void wipe(String machine) throws IOException {
        Path disk = host(machine).machine.disk();
        Files.walkFileTree(
                disk,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
                            throws IOException {
                        if (!folder.equals(disk)) {
                            Files.deleteIfExists(folder);
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    @Override
    public synchronized void clock(String machine, Duration ahead) throws IOException {
        ClockShift clock = host(machine).clock;
        if (clock == null) {
            throw new IllegalStateException(machine + " has no clock of its own");
        }
        clock.set(ahead);
    }

    @Override
    public boolean isAlive(String machine) {
        return processes.isAlive(machine);
    }

    @Override
    public synchronized List<Ending> endings(String machine) {
        return List.copyOf(host(machine).endings);
    }

    @Override
    public Process atDesk(List<String> command) throws IOException {
        return guest(network.atHub(command));
    }

    @Override
    public Process beside(String machine, List<String> command) throws IOException {
        return guest(network.on(machine, command));
    }

    private synchronized Process guest(List<String> command) throws IOException {
        if (closed) {
            throw new IOException("the network is closed");
        }
        Process guest =
                new ProcessBuilder(command)
                        .redirectError(
                                ProcessBuilder.Redirect.appendTo(
                                        work.resolve("logs").resolve("guests.log").toFile()))
                        .directory(new File(work.toString()))
                        .start();
        guests.removeIf(g -> !g.isAlive());
        guests.add(guest);
        return guest;
    }

    @Override
    public List<String> tail(String machine, int lines) {
        return processes.tail(machine, lines);
    }

    @Override
    public Optional<Path> log(String machine) {
        return processes.names().contains(machine)
                ? Optional.of(processes.get(machine).log())
                : Optional.empty();
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        guests.forEach(Process::destroyForcibly);
        processes.close();
        takeAway(network, hosts);
    }

    private static void takeAway(VirtualNetwork network, Map<String, Host> hosts) {
        network.close();
        for (Host host : hosts.values()) {
            try {
                if (host.disk != null) {
                    host.disk.close();
                }
            } catch (IOException e) {
                System.err.println("The disk of " + host.machine.name() + " stays: " + e);
            }
        }
        hosts.clear();
    }
}
