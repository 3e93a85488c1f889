package io.holdfast.chaos.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.chaos.cluster.Commands.CommandFailed;
import io.holdfast.chaos.cluster.Training;
import io.holdfast.chaos.fault.FaultUnavailable;
import io.holdfast.node.api.ApiException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Times of a cluster's control plane beside their limits: see {@code ops/bench/control-plane}. */
@Command(name = "ops/bench/control-plane")
public final class ControlPlaneBench implements Callable<Integer> {
    /** What can be measured. */
    enum Part {
        WRITES,
        NODE,
        SWITCHOVER,
        FAILOVER,
        WITNESS
    }

    @Option(names = "--profile")
    private String profile = "p2";

    @Option(names = "--rows", split = ",")
    private Set<Part> parts = EnumSet.noneOf(Part.class);

    /** Milliseconds; without it the cluster is at loopback addresses. */
    @Option(names = "--delay")
    private @Nullable Integer delay;

    @Option(names = "--writes")
    private int writes = 1000;

    @Option(names = "--rounds")
    private int rounds = 5;

    @Option(names = "--entries")
    private int entries = 100_000;

    @Option(names = "--json")
    private boolean json;

    private final List<Row> rows = new ArrayList<>();

    private ControlPlaneBench() {}

    /** Runs it. */
    public static void main(String[] args) {
        System.exit(
                new CommandLine(new ControlPlaneBench())
                        .setCaseInsensitiveEnumValuesAllowed(true)
                        .execute(args));
    }

    private interface Measured {
        void of(Measures measures)
                throws BenchFailed, CommandFailed, IOException, InterruptedException;
    }

    private static void tell(String line) {
        System.err.println(line);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!Set.of("p2", "p2-small").contains(profile)
                || writes < 1
                || rounds < 1
                || entries < 0
                || delay != null && delay < 0) {
            tell("Expected --profile p2 or p2-small, and positive numbers; see --help.");
            return CommandLine.ExitCode.USAGE;
        }
        if (parts.isEmpty()) {
            parts = delay == null ? EnumSet.allOf(Part.class) : EnumSet.of(Part.WRITES);
        }
        if (profile.equals("p2-small") && parts.remove(Part.NODE)) {
            tell("Row node is left out: with " + profile + " a site has one node.");
        }
        Training.prepare(ControlPlaneBench::tell);
        boolean whole = true;
        EnumSet<Part> witness = EnumSet.of(Part.WITNESS);
        if (!witness.containsAll(parts)) {
            whole = measure(profile, this::ofTwoSites);
        }
        if (parts.contains(Part.WITNESS)) {
            whole &= measure("p3-small", m -> rows.add(m.witness()));
        }
        boolean ok = whole && rows.stream().allMatch(Row::ok);
        print(ok);
        return ok ? CommandLine.ExitCode.OK : 1;
    }

    private void ofTwoSites(Measures measures)
            throws BenchFailed, CommandFailed, IOException, InterruptedException {
        if (parts.contains(Part.WRITES)) {
            rows.addAll(delay == null ? measures.writes(writes) : measures.writes(writes, delay));
        }
        if (parts.contains(Part.NODE)) {
            rows.add(measures.node(rounds));
        }
        if (parts.contains(Part.SWITCHOVER)) {
            rows.add(measures.switchover());
        }
        if (parts.contains(Part.FAILOVER)) {
            rows.add(measures.failover(entries));
        }
    }

    /** Whether everything could be measured. */
    private boolean measure(String profile, Measured measured)
            throws IOException, InterruptedException {
        tell("Starting a cluster, profile " + profile);
        try (BenchCluster cluster =
                        BenchCluster.start(
                                profile, delay == null ? null : Duration.ofMillis(delay));
                Writer writer = new Writer(cluster.context())) {
            try {
                measured.of(new Measures(cluster, writer, ControlPlaneBench::tell));
                return true;
            } catch (BenchFailed | CommandFailed | ApiException e) {
                cluster.explain(ControlPlaneBench::tell);
                tell("FAILED: " + e.getMessage());
                return false;
            }
        } catch (CommandFailed | FaultUnavailable e) {
            tell("FAILED: " + e.getMessage());
            return false;
        }
    }

    private void print(boolean ok) throws JsonProcessingException {
        List<String> lines = new ArrayList<>(List.of("", Row.heading()));
        rows.forEach(row -> lines.add(row.line()));
        int processors = Runtime.getRuntime().availableProcessors();
        lines.add(
                String.format(
                        Locale.ROOT,
                        "profile %s; %d processors%s",
                        profile,
                        processors,
                        delay == null ? "" : "; " + delay + " ms each way between the sites"));
        for (Row row : rows) {
            row.notes().forEach(note -> lines.add("  " + row.name() + ": " + note));
        }
        lines.forEach(json ? System.err::println : System.out::println);
        if (json) {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("ok", ok);
            all.put("profile", profile);
            all.put("processors", processors);
            all.put("delayMillis", delay);
            all.put("rows", rows.stream().map(Row::json).toList());
            System.out.println(
                    JsonMapper.builder()
                            .enable(SerializationFeature.INDENT_OUTPUT)
                            .build()
                            .writeValueAsString(all));
        }
    }
}
