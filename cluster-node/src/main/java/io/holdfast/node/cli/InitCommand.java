package io.holdfast.node.cli;

import io.holdfast.node.init.ClusterFiles;
import io.holdfast.node.init.ClusterInit;
import io.holdfast.node.init.ClusterPlan;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Creates a cluster's files. */
@Command(
        name = "init",
        description =
                "Create a cluster: certificates, MBR, nodes of every site, operator's context.",
        footer = {
            "",
            "Example: holdfast init /srv/holdfast --name acme --profile p2-small \\",
            "             --local 10.10.11.44 --device 10.10.11.45 --dr 10.50.4.4 \\",
            "             --passphrase-file passphrase.txt",
            "With a witness: --profile p3-small --witness 10.90.0.9",
            "Without --local and --dr: the loopback addresses of the worked example."
        })
final class InitCommand implements Callable<Integer> {
    @Spec CommandSpec spec = CommandSpec.create();

    @Parameters(index = "0", paramLabel = "DIR", description = "A new or empty folder.")
    private Path folder = Path.of("");

    @Option(names = "--name", required = true, description = "What people call the cluster.")
    private String name = "";

    @Option(
            names = "--profile",
            defaultValue = "p2-small",
            description = {
                "p2-small: one node a site; p2: three. p3-small, p3: one, two, and a witness at a third",
                "place, which votes and stores no backup; DR then takes over by itself.",
                "Default: ${DEFAULT-VALUE}."
            })
    private String profile = "";

    @Option(
            names = "--local",
            split = ",",
            paramLabel = "HOST",
            description = "Hosts of the local site; the first serves catalog and storage.")
    private List<String> local = List.of();

    @Option(
            names = "--dr",
            split = ",",
            paramLabel = "HOST",
            description = "Hosts of the DR site; the first serves catalog and storage.")
    private List<String> dr = List.of();

    @Option(
            names = "--witness",
            paramLabel = "HOST",
            description = "Host of the witness, with p3 and p3-small.")
    private @Nullable String witness;

    @Option(
            names = "--storage-port",
            defaultValue = "6543",
            paramLabel = "PORT",
            description = "Port of the local storage media agent. Default: ${DEFAULT-VALUE}.")
    private int storagePort;

    @Option(
            names = "--dr-storage-port",
            defaultValue = "3456",
            paramLabel = "PORT",
            description = "Port of the DR storage media agent. Default: ${DEFAULT-VALUE}.")
    private int drStoragePort;

    @Option(
            names = "--device",
            paramLabel = "IP",
            description = "Backup media of the local storage. Default: its host.")
    private @Nullable String device;

    @Option(
            names = "--dr-device",
            paramLabel = "IP",
            description = "Backup media of the DR storage. Default: its host.")
    private @Nullable String drDevice;

    @Option(
            names = "--schedule",
            paramLabel = "CRON",
            defaultValue = "0 1 * * *",
            description = "When scheduled backups start, in UTC. Default: ${DEFAULT-VALUE}.")
    private String cron = "";

    @Option(
            names = "--operator",
            defaultValue = "operator",
            description = "Name in the operator's certificate. Default: ${DEFAULT-VALUE}.")
    private String operator = "";

    @Option(
            names = "--passphrase-file",
            paramLabel = "FILE",
            description = "First line: the passphrase that opens the data key. Default: ask.")
    private @Nullable Path passphraseFile;

    @Option(names = "--json", description = "Print one JSON value on stdout.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        boolean example = local.isEmpty();
        List<String> localHosts = example ? ClusterPlan.exampleHosts(profile, Site.LOCAL) : local;
        List<String> drHosts = dr.isEmpty() ? ClusterPlan.exampleHosts(profile, Site.DR) : dr;
        ClusterPlan plan =
                new ClusterPlan(
                        name,
                        profile,
                        localHosts,
                        drHosts,
                        storagePort,
                        drStoragePort,
                        device != null ? device : example ? "127.10.11.45" : localHosts.get(0),
                        drDevice != null ? drDevice : drHosts.get(0),
                        cron,
                        witness != null
                                ? Optional.of(witness)
                                : example
                                        ? ClusterPlan.exampleHosts(profile, Site.WITNESS).stream()
                                                .findFirst()
                                        : Optional.empty());
        char[] passphrase = Passphrases.read(passphraseFile, true);
        Mbr mbr;
        try {
            mbr =
                    new ClusterInit(InstantSource.system(), new SecureRandom())
                            .create(folder, plan, operator, passphrase);
        } finally {
            Arrays.fill(passphrase, '\0');
        }
        Path context = ClusterFiles.context(folder).toAbsolutePath().normalize();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("cluster", mbr.cluster());
        result.put("name", mbr.name());
        result.put("profile", mbr.profile());
        result.put("epoch", mbr.epoch().toString());
        result.put("lineage", mbr.lineage());
        result.put("context", context.toString());
        StringBuilder text = new StringBuilder();
        text.append("Cluster ").append(mbr.name()).append(' ').append(mbr.cluster());
        text.append(" is written to ").append(folder).append("\n\n");
        Text.Table table = new Text.Table("NODE", "SITE", "ADDRESS", "START WITH");
        for (Site site : Site.values()) {
            for (NodeAddress node : mbr.nodes(site)) {
                Path config = folder.resolve("nodes").resolve(node.id()).resolve("node.yml");
                table.row(
                        node.id(), site.word(), node.host(), "holdfast server --config " + config);
            }
        }
        text.append(table);
        text.append("\nThen: export HOLDFAST_CONTEXT=").append(context);
        text.append("\nTake offline: ").append(ClusterFiles.rootAuthority(folder));
        text.append("\nKeep safe:    the passphrase. It opens the data key; nothing else does.\n");
        new Output(spec.commandLine().getOut(), spec.commandLine().getErr(), json)
                .result(result, text.toString());
        return ExitCode.DONE;
    }
}
