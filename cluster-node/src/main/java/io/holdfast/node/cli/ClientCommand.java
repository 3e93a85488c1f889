package io.holdfast.node.cli;

import io.holdfast.chunk.WrongPassphrase;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.ResourceView;
import io.holdfast.node.api.Saved;
import io.holdfast.node.init.ClientEnrolment;
import io.holdfast.node.init.ClusterInit;
import io.holdfast.standard.ClientResource;
import io.holdfast.standard.DomainKeyResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Uuid7;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Clients: the systems whose data is backed up. */
@Command(
        name = "client",
        description = "Clients: the systems whose data is backed up.",
        subcommands = {ClientCommand.Add.class, ClientCommand.Listing.class},
        footer = {"", "Example: holdfast client list"})
final class ClientCommand {
    /** Adds a client. */
    @Command(
            name = "add",
            description =
                    "Add a client: its resource, a certificate and a key slot for its agent at each"
                            + " site.",
            footer = {
                "",
                "Example: holdfast client add crit --address 10.10.11.22:3456 \\",
                "             --dr-address 10.50.4.22:3456 --critical --source /home \\",
                "             --passphrase-file passphrase.txt"
            })
    static final class Add extends ApiCommand {
        @Parameters(index = "0", paramLabel = "NAME", description = "Unique among clients.")
        private String name = "";

        @Option(
                names = "--address",
                required = true,
                paramLabel = "HOST:PORT",
                description = "Where its agent listens at the local site.")
        private String address = "";

        @Option(
                names = "--dr-address",
                paramLabel = "HOST:PORT",
                description = "Where the agent of its DR system listens. Without: suspended in DR.")
        private @Nullable String drAddress;

        @Option(names = "--critical", description = "Business goes on at DR only with it.")
        private boolean critical;

        @Option(
                names = "--source",
                required = true,
                paramLabel = "PATH",
                description = "What is backed up; absolute, on the client.")
        private String source = "";

        @Option(
                names = "--owner",
                paramLabel = "OWNER",
                description = "The data owner. Default: the operator.")
        private @Nullable String owner;

        @Option(
                names = "--group",
                defaultValue = ClusterInit.GROUP,
                paramLabel = "GROUP",
                description = "Gives schedule, policy, device. Default: ${DEFAULT-VALUE}.")
        private String group = "";

        @Option(
                names = "--domain-key",
                defaultValue = ClusterInit.DOMAIN_KEY,
                paramLabel = "NAME",
                description = "Dedup domain. Default: ${DEFAULT-VALUE}.")
        private String domainKey = "";

        @Option(
                names = "--cluster-dir",
                paramLabel = "DIR",
                description = "The folder that init made. Default: as the context says.")
        private @Nullable Path clusterDir;

        @Option(
                names = "--passphrase-file",
                paramLabel = "FILE",
                description = "First line: the passphrase that opens the data key. Default: ask.")
        private @Nullable Path passphraseFile;

        @Override
        int run(ClusterClient cluster, Output output) throws Exception {
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) {
                throw new Problem(
                        ExitCode.USAGE,
                        "'"
                                + name
                                + "' cannot be a client's name: its agents' folders are called so.",
                        "Use letters, digits, '.', '_' and '-', at most 63.");
            }
            ClientResource client =
                    new ClientResource(
                            name,
                            Endpoint.parse(address),
                            Optional.ofNullable(drAddress).map(Endpoint::parse),
                            source,
                            critical,
                            owner == null ? cluster.context().operator() : owner,
                            domainKey,
                            group,
                            Optional.empty());
            char[] passphrase = Passphrases.read(passphraseFile, false);
            try {
                return add(cluster, output, client, passphrase);
            } finally {
                Arrays.fill(passphrase, '\0');
            }
        }

        private int add(
                ClusterClient cluster, Output output, ClientResource client, char[] passphrase)
                throws Exception {
            boolean taken =
                    cluster.read(api -> api.resources(Resource.Type.CLIENT.word())).stream()
                            .anyMatch(r -> r.name().equals(name));
            if (taken) {
                throw new Problem(
                        ExitCode.FAILED,
                        "There is a client " + name + " already.",
                        "Choose another name; see: holdfast client list.");
            }
            ResourceView key =
                    cluster.read(api -> api.resources(Resource.Type.DOMAIN_KEY.word())).stream()
                            .filter(r -> r.name().equals(domainKey))
                            .findFirst()
                            .orElseThrow(() ->
                                    new Problem(
                                            ExitCode.FAILED,
                                            "There is no domain key " + domainKey + ".",
                                            "The one that init made is called "
                                                    + ClusterInit.DOMAIN_KEY
                                                    + "."));
            SecureRandom random = new SecureRandom();
            UUID id = Uuid7.of(InstantSource.system().millis(), random);
            ClientEnrolment.Enrolled enrolled;
            try {
                enrolled =
                        new ClientEnrolment(
                                        clusterDir == null
                                                ? cluster.context().clusterDir()
                                                : clusterDir,
                                        InstantSource.system(),
                                        random)
                                .enrol(
                                        id,
                                        client,
                                        DomainKeyResource.of(key.toResource()),
                                        passphrase);
            } catch (WrongPassphrase e) {
                throw new Problem(
                        ExitCode.FAILED,
                        "The passphrase does not open domain key "
                                + domainKey
                                + "; client "
                                + name
                                + " was not added.",
                        "Use the passphrase that init was given.");
            }
            Saved<ResourceView> stored;
            try {
                ResourceView withSlots =
                        ResourceView.of(enrolled.domainKey().toResource(key.id()), key.version());
                ResourceView view = ResourceView.of(client.toResource(id), -1);
                cluster.write(api -> api.putResource(withSlots));
                stored = cluster.write(api -> api.putResource(view));
            } catch (ApiException e) {
                if (e.kind() != ApiException.Kind.UNKNOWN) {
                    enrolled.undo();
                }
                throw e;
            }
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("client", stored.result());
            result.put("agents", enrolled.folders().stream().map(Path::toString).toList());
            StringBuilder text = new StringBuilder();
            text.append("Client ")
                    .append(name)
                    .append(" is ")
                    .append(id)
                    .append(". Start its agent");
            text.append(enrolled.folders().size() == 1 ? ":\n" : "s, each on its own machine:\n");
            for (Path folder : enrolled.folders()) {
                text.append("  holdfast agent --config ").append(folder.resolve("agent.json"));
                text.append('\n');
            }
            if (client.drAddress().isEmpty()) {
                text.append("It has no DR address: in DR mode it is SUSPENDED.\n");
            }
            output.saved(stored.with(result), text.toString());
            return ExitCode.DONE;
        }
    }

    /** Lists clients. */
    @Command(
            name = "list",
            description = "List the clients.",
            footer = {"", "Example: holdfast client list --json"})
    static final class Listing extends ApiCommand {
        @Override
        int run(ClusterClient cluster, Output output) {
            List<ResourceView> clients =
                    new ArrayList<>(
                            cluster.read(api -> api.resources(Resource.Type.CLIENT.word())));
            Text.Table table =
                    new Text.Table(
                            "CLIENT",
                            "CATEGORY",
                            "ADDRESS",
                            "DR ADDRESS",
                            "SOURCE",
                            "OWNER",
                            "GROUP");
            for (ResourceView view : clients) {
                ClientResource client = ClientResource.of(view.toResource());
                table.row(
                        client.name(),
                        view.category(),
                        client.address().toString(),
                        client.drAddress().map(Endpoint::toString).orElse("-"),
                        client.sourcePath(),
                        client.owner(),
                        client.group());
            }
            output.result(
                    clients,
                    table.isEmpty()
                            ? "No clients yet. Add one: holdfast client add --help"
                            : table.toString());
            return ExitCode.DONE;
        }
    }
}
