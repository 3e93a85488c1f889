package io.holdfast.node.cli;

import io.holdfast.modeswitch.Placement;
import io.holdfast.modeswitch.Resolution;
import io.holdfast.modeswitch.ResolveTable;
import io.holdfast.modeswitch.Resolver;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.init.SeedFile;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Identifiers: what they say, and how they are dialled. */
@Command(
        name = "identifier",
        description = "Identifiers: what they say, and how they are dialled.",
        subcommands = {IdentifierCommand.Parse.class, IdentifierCommand.Rewrite.class},
        footer = {"", "Example: holdfast identifier parse '10.10.11.22:3456?READ?/home'"})
final class IdentifierCommand {
    /** Parses an identifier. */
    @Command(
            name = "parse",
            description = "Take an identifier apart. Asks nobody.",
            footer = {
                "",
                "Example: holdfast identifier parse"
                        + " '10.10.11.44:6543?WRITE:IP:10.10.11.45,dedupe?/mtree/backup'"
            })
    static final class Parse implements Callable<Integer> {
        @Spec CommandSpec spec = CommandSpec.create();

        @Parameters(
                index = "0",
                paramLabel = "ID",
                description = "host:port?METHOD:params?location")
        private String text = "";

        @Option(names = "--json", description = "Print one JSON value on stdout.")
        private boolean json;

        @Override
        public Integer call() {
            Identifier id = Identifier.parse(text);
            List<Map<String, String>> params = new ArrayList<>();
            StringBuilder show = new StringBuilder();
            show.append("host      ").append(id.endpoint().host()).append('\n');
            id.endpoint().port().ifPresent(p -> show.append("port      ").append(p).append('\n'));
            show.append("method    ").append(id.method()).append('\n');
            for (Identifier.Param param : id.params()) {
                Map<String, String> one = new LinkedHashMap<>();
                switch (param) {
                    case Identifier.Param.Positional p -> {
                        one.put("value", p.value());
                        show.append("param     ").append(p.value()).append('\n');
                    }
                    case Identifier.Param.KeyValue kv -> {
                        one.put("key", kv.key());
                        one.put("value", kv.value());
                        show.append("param     ").append(kv.key()).append(" = ");
                        show.append(kv.value()).append('\n');
                    }
                }
                params.add(one);
            }
            show.append("location  ").append(id.location().isEmpty() ? "-" : id.location());
            show.append("\ncanonical ").append(id).append('\n');
            Map<String, Object> value = new LinkedHashMap<>();
            value.put("host", id.endpoint().host());
            id.endpoint().port().ifPresent(p -> value.put("port", p));
            value.put("method", id.method());
            value.put("params", params);
            value.put("location", id.location());
            value.put("canonical", id.toString());
            new Output(spec.commandLine().getOut(), spec.commandLine().getErr(), json)
                    .result(value, show.toString());
            return ExitCode.DONE;
        }
    }

    /** Rewrites an identifier. */
    @Command(
            name = "rewrite",
            description = {
                "Show how an identifier is dialled, now or at a site.",
                "Asks the cluster, or works offline from a file of rows: LOCAL[:port]"
                        + " REMOTE[:port] on each line, or a resources.json."
            },
            footer = {
                "",
                "Example: holdfast identifier rewrite '10.10.11.44:6543?READ?/x' --site dr",
                "         holdfast identifier rewrite '...' --replication rows.txt"
            })
    static final class Rewrite implements Callable<Integer> {
        @Mixin CommonOptions options = new CommonOptions();

        @Spec CommandSpec spec = CommandSpec.create();

        @Parameters(index = "0", paramLabel = "ID", description = "A logical identifier.")
        private String text = "";

        @Option(
                names = "--site",
                paramLabel = "SITE",
                description = "As if this site were active. Default: now; offline: dr.")
        private @Nullable String site;

        @Option(
                names = "--replication",
                paramLabel = "FILE",
                description = "Work offline from these rows.")
        private @Nullable Path rows;

        @Override
        public Integer call() throws Exception {
            Identifier identifier = Identifier.parse(text);
            IdentifierView view;
            if (rows != null) {
                view = resolve(identifier, site == null ? "dr" : site, offline(rows));
            } else {
                try (ClusterClient cluster = ClusterClient.open(options.context())) {
                    view =
                            site == null
                                    ? cluster.read(api -> api.resolve(identifier.toString()))
                                    : resolve(identifier, site, online(cluster));
                }
            }
            StringBuilder show = new StringBuilder();
            show.append("logical   ").append(view.logical()).append('\n');
            show.append("physical  ")
                    .append(
                            view.physical() != null
                                    ? view.physical()
                                    : "refused: " + view.refusal())
                    .append('\n');
            for (IdentifierView.Rewrite r : view.rewrites()) {
                show.append("  ").append(r.where()).append(": ").append(r.from()).append(" -> ");
                show.append(r.to()).append("  (").append(r.rule()).append(")\n");
            }
            new Output(spec.commandLine().getOut(), spec.commandLine().getErr(), options.json())
                    .result(view, show.toString());
            return view.physical() != null ? ExitCode.DONE : ExitCode.REFUSED;
        }

        private static ResolveTable online(ClusterClient cluster) {
            return ResolveTable.of(
                    cluster.read(api -> api.resources(null)).stream()
                            .map(ResourceView::toResource)
                            .toList());
        }

        private static ResolveTable offline(Path file) throws IOException {
            if (!Files.isRegularFile(file)) {
                throw new Problem(
                        ExitCode.USAGE,
                        "There is no file of rows " + file + ".",
                        "Each line: LOCAL[:port] REMOTE[:port].");
            }
            if (Files.readString(file).stripLeading().startsWith("{")) {
                List<Resource> resources = SeedFile.read(file);
                return ResolveTable.of(resources);
            }
            List<ReplicationResource> parsed = new ArrayList<>();
            int number = 0;
            for (String line : Files.readAllLines(file)) {
                number++;
                String row = line.strip();
                if (row.isEmpty() || row.startsWith("#")) {
                    continue;
                }
                String[] words = row.replace("->", " ").strip().split("\\s+");
                try {
                    if (words.length != 2) {
                        throw new FormatException(
                                "replication row", row, 0, "LOCAL[:port] REMOTE[:port]");
                    }
                    parsed.add(
                            new ReplicationResource(
                                    Endpoint.parse(words[0]), Endpoint.parse(words[1])));
                } catch (FormatException e) {
                    throw new Problem(
                            ExitCode.USAGE,
                            file + ":" + number + ": " + e.getMessage(),
                            "Correct that line.");
                }
            }
            return new ResolveTable(parsed, List.of());
        }

        private static IdentifierView resolve(
                Identifier identifier, String site, ResolveTable table) {
            return switch (Resolver.resolve(identifier, Placement.at(Site.ofWord(site)), table)) {
                case Resolution.Resolved(var physical, var rewrites) ->
                        new IdentifierView(
                                identifier.toString(),
                                physical.toString(),
                                null,
                                rewrites.stream()
                                        .map(r ->
                                                new IdentifierView.Rewrite(
                                                        r.place(), r.from(), r.to(), r.rule()))
                                        .toList());
                case Resolution.Refused(var address, var message) ->
                        new IdentifierView(identifier.toString(), null, message, List.of());
            };
        }
    }
}
