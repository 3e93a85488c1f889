package io.holdfast.chaos.fault;

import java.io.File;
import java.io.IOException;
import java.net.NetworkInterface;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Machines on one switch: network namespaces, each with a cable to a bridge in a namespace of its
 * own, the hub. Links are cut in the bridge, one direction at a time, and are made long where their
 * packets arrive. Nothing outside of these namespaces is touched and no name is left on the machine:
 * a namespace lives as long as a small process that holds it, and that process ends with the JVM
 * that has made it. Thread-safe.
 *
 * <p>Needs root, iproute2, util-linux and nftables; for long links also iptables.
 */
public final class VirtualNetwork implements AutoCloseable {
    /** The hub's address: an operator's desk that no cut separates from a machine. */
    public static final String DESK = "10.255.255.254";

    private static final int PREFIX = 8;
    private static final Pattern COUNTER = Pattern.compile("counter packets ([0-9]+)");
    private static final String RULES =
            """
            table bridge chaos {
              set cut { type ifname . ifname; }
              chain links {
                type filter hook forward priority 0;
                iifname . oifname @cut counter drop
              }
            }
            """;

    private final Map<String, Cable> cables = new LinkedHashMap<>();
    private final List<SlowLink> slow = new ArrayList<>();
    private final @Nullable Process hub;
    private long droppedBefore;
    private int queues;

    /** A machine's namespace, the bridge's port that its cable is in, and its addresses. */
    private record Cable(Process holder, String port, List<String> addresses) {}

    /**
     * @param hub holds the hub's namespace; null for this process' own
     */
    private VirtualNetwork(@Nullable Process hub) {
        this.hub = hub;
    }

    /**
     * A switch without machines.
     *
     * @throws FaultUnavailable with the reason
     */
    public static VirtualNetwork create() throws IOException, FaultUnavailable {
        requireTools();
        return prepared(new VirtualNetwork(hold()));
    }

    /**
     * A switch without machines whose hub is the namespace of this process, with this process at the
     * desk: what it calls, it calls there.
     *
     * @throws FaultUnavailable with the reason; also where this process shares its namespace
     */
    public static VirtualNetwork createHere() throws IOException, FaultUnavailable {
        requireTools();
        for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            if (!one.isLoopback()) {
                throw new FaultUnavailable(
                        "this program must be started in a network namespace of its own, with"
                                + " unshare --net; here is "
                                + one.getName());
            }
        }
        return prepared(new VirtualNetwork(null));
    }

    private static void requireTools() throws FaultUnavailable {
        Machine.requireRoot("a network namespace");
        Machine.requireTool("ip", "iproute2");
        Machine.requireTool("nft", "nftables");
        Machine.requireTool("nsenter", "util-linux");
    }

    private static VirtualNetwork prepared(VirtualNetwork network) throws FaultUnavailable {
        try {
            network.hub("ip", "link", "set", "lo", "up");
            network.hub("ip", "link", "add", "switch", "type", "bridge");
            network.hub("ip", "addr", "add", DESK + "/" + PREFIX, "dev", "switch");
            network.hub("ip", "link", "set", "switch", "up");
            network.hub("nft", RULES);
        } catch (IOException e) {
            network.close();
            throw new FaultUnavailable(
                    "a bridge with nftables cannot be made here: " + e.getMessage());
        }
        return network;
    }

    /** A new namespace, held by a process that ends when this JVM closes its standard input. */
    private static Process hold() throws IOException {
        Process holder =
                new ProcessBuilder("unshare", "--net", "sh", "-c", "echo ready; exec cat")
                        .redirectError(new File("/dev/null"))
                        .start();
        if (holder.getInputStream().read() < 0) {
            throw new IOException("unshare --net ended with nothing done");
        }
        return holder;
    }

    /** Puts a machine on the network. */
    public synchronized void attach(String machine, List<String> addresses) throws IOException {
        if (cables.containsKey(machine)) {
            throw new IllegalStateException("machine " + machine + " is attached already");
        }
        Process holder = hold();
        String port = "port" + cables.size();
        cables.put(machine, new Cable(holder, port, List.copyOf(addresses)));
        String pid = Long.toString(holder.pid());
        hub("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", pid);
        hub("ip", "link", "set", port, "master", "switch");
        hub("ip", "link", "set", port, "up");
        at(machine, "ip", "link", "set", "lo", "up");
        for (String address : addresses) {
            at(machine, "ip", "addr", "add", address + "/" + PREFIX, "dev", "eth0");
        }
        at(machine, "ip", "link", "set", "eth0", "up");
    }

    private Cable cable(String machine) {
        Cable cable = cables.get(machine);
        if (cable == null) {
            throw new IllegalArgumentException("no machine " + machine + " on this network");
        }
        return cable;
    }

    /** A command that runs another one on a machine: {@code Process.pid()} is the other one's. */
    public synchronized List<String> on(String machine, List<String> command) {
        return inside(cable(machine).holder(), command);
    }

    /** A command that runs another one at the hub. */
    public List<String> atHub(List<String> command) {
        return hub == null ? command : inside(hub, command);
    }

    private static List<String> inside(Process holder, List<String> command) {
        List<String> all = new ArrayList<>();
        all.add("nsenter");
        all.add("--net=/proc/" + holder.pid() + "/ns/net");
        all.addAll(command);
        return all;
    }

    private void hub(String... command) throws IOException {
        Tool.must(atHub(List.of(command)).toArray(String[]::new));
    }

    private void at(String machine, String... command) throws IOException {
        Tool.must(on(machine, List.of(command)).toArray(String[]::new));
    }

    /** Packets from one machine to another are dropped. */
    public synchronized void cut(String from, String to) throws IOException {
        hub("nft", "add element bridge chaos cut { " + pair(from, to) + " }");
    }

    /**
     * What is sent between the two groups arrives so much later, in both directions: every IP packet;
     * address resolution is as fast as before. A link that was long before is now as long as this.
     *
     * @throws FaultUnavailable with the reason
     */
    public synchronized void delay(
            Collection<String> left, Collection<String> right, Duration oneWay)
            throws IOException, FaultUnavailable {
        Machine.requireTool("iptables", "iptables");
        int queue = queues++;
        List<Long> pids =
                Stream.concat(left.stream(), right.stream())
                        .map(machine -> cable(machine).holder().pid())
                        .toList();
        try {
            slow.add(new SlowLink(pids, queue, oneWay));
        } catch (IOException e) {
            throw new FaultUnavailable("packets cannot be queued here: " + e.getMessage());
        }
        hold(left, right, queue);
        hold(right, left, queue);
    }

    /** Packets that arrive at these machines from the others go through a queue. */
    private void hold(Collection<String> at, Collection<String> from, int queue)
            throws IOException {
        String sources =
                from.stream()
                        .flatMap(machine -> cable(machine).addresses().stream())
                        .collect(Collectors.joining(","));
        for (String machine : at) {
            at(
                    machine,
                    "iptables",
                    "-I",
                    "INPUT",
                    "-s",
                    sources,
                    "-j",
                    "NFQUEUE",
                    "--queue-num",
                    Integer.toString(queue));
        }
    }

    private String pair(String from, String to) {
        return cable(from).port() + " . " + cable(to).port();
    }

    /**
     * Every link works again, and is fast.
     *
     * @return how many packets were dropped since the last time
     */
    public synchronized long heal() throws IOException {
        if (!slow.isEmpty()) {
            for (String machine : cables.keySet()) {
                at(machine, "iptables", "-F", "INPUT");
            }
            slow.forEach(SlowLink::close);
            slow.clear();
        }
        hub("nft", "flush set bridge chaos cut");
        String rules =
                Tool.must(atHub(List.of("nft", "list table bridge chaos")).toArray(String[]::new));
        Matcher counter = COUNTER.matcher(rules);
        if (!counter.find()) {
            throw new IOException("no counter in: " + rules);
        }
        long all = Long.parseLong(counter.group(1));
        long since = all - droppedBefore;
        droppedBefore = all;
        return since;
    }

    /** The namespaces go as soon as no process is in them any more. */
    @Override
    public synchronized void close() {
        slow.forEach(SlowLink::close);
        slow.clear();
        List<Process> holders = new ArrayList<>();
        cables.values().forEach(c -> holders.add(c.holder()));
        if (hub != null) {
            holders.add(hub);
        }
        cables.clear();
        holders.forEach(Process::destroyForcibly);
        for (Process holder : holders) {
            try {
                holder.waitFor(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
