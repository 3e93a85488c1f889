package io.holdfast.node.cli;

import io.holdfast.node.api.StatusView;
import java.util.Locale;
import java.util.Objects;
import picocli.CommandLine.Command;

/** Shows the cluster. */
@Command(
        name = "status",
        description = "Show the cluster: who is active, what is protected, who answers.",
        footer = {"", "Example: holdfast status"})
final class StatusCommand extends ApiCommand {
    @Override
    int run(ClusterClient cluster, Output output) {
        StatusView status = cluster.read(api -> api.status());
        output.result(status, show(status));
        return ExitCode.DONE;
    }

    /** {@code Ack policy availability; UNPROTECTED: RPO at risk since ..., 12 changes, 3.4 MB}. */
    static String acknowledgements(StatusView s) {
        return "Ack policy "
                + s.ackPolicy()
                + (s.ackPolicyBinds() ? "" : " (not now: the other site is lost)")
                + "; "
                + (s.level() == null
                        ? "level unknown here: ask the leader of site " + s.activeSite()
                        : s.level() + Text.atRisk(s.rpoAtRisk()))
                + "\n";
    }

    static String show(StatusView s) {
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "Cluster %s (%s), mode %s: site %s is active in epoch %s%n",
                        s.name(),
                        s.profile(),
                        s.mode(),
                        s.activeSite(),
                        s.epoch()));
        text.append(
                String.format(
                        Locale.ROOT,
                        "Replication %s%s; RPO at risk %s; %s job%s open, %s piece%s not at the"
                                + " other site%n",
                        s.replication(),
                        s.replicationSince() == null
                                ? ""
                                : " since " + Text.time(s.replicationSince()),
                        Text.seconds(s.rpoSeconds()),
                        s.openJobs(),
                        s.openJobs() == 1 ? "" : "s",
                        s.unprotectedPieces(),
                        s.unprotectedPieces() == 1 ? "" : "s"));
        text.append(acknowledgements(s));
        text.append(
                String.format(
                        Locale.ROOT,
                        "Asked %s (%s, %s); lineage %s, leader %s, log %d applied, %d protected%n",
                        s.node(),
                        s.site(),
                        s.role(),
                        s.lineage(),
                        Objects.requireNonNullElse(s.leader(), "unknown"),
                        s.appliedIndex(),
                        s.protectedIndex()));
        if (s.autoFailover() != null) {
            text.append("Automatic failover ").append(AutoFailoverCommand.text(s)).append('\n');
        }
        for (String warning : s.warnings()) {
            text.append("! ").append(warning).append('\n');
        }
        Text.Table nodes =
                new Text.Table("NODE", "SITE", "ADDRESS", "ROLE", "EPOCH", ">LOG", "LAST CONTACT");
        for (StatusView.Member m : s.members()) {
            nodes.row(
                    m.node(),
                    m.site(),
                    m.address(),
                    m.reachable() ? m.role() + (m.leader() ? " leader" : "") : "no answer",
                    Objects.requireNonNullElse(m.epoch(), "-"),
                    m.appliedIndex() < 0 ? "-" : Long.toString(m.appliedIndex()),
                    Text.time(m.lastContact()));
        }
        text.append('\n').append(nodes);
        Text.Table stores =
                new Text.Table("STORAGE", "SITE", "STATE", ">PACKS", ">CHUNKS", ">FREE");
        for (StatusView.Store store : s.stores()) {
            stores.row(
                    store.endpoint(),
                    store.site(),
                    store.reachable() ? "ok" : "no answer",
                    Text.bytes(store.packBytes()),
                    Text.count(store.chunks()),
                    Text.bytes(store.freeBytes()));
        }
        if (!stores.isEmpty()) {
            text.append('\n').append(stores);
        }
        Text.Table catalogs = new Text.Table("CATALOG", "SITE", "ENDPOINT", "STATE", ">PIECES");
        for (StatusView.CatalogState c : s.catalogs()) {
            catalogs.row(
                    c.name(),
                    c.site(),
                    c.endpoint(),
                    c.reachable() ? "ok" : "no answer",
                    Text.count(c.pieces()));
        }
        if (!catalogs.isEmpty()) {
            text.append('\n').append(catalogs);
        }
        Text.Table clients = new Text.Table("CLIENT", "CATEGORY", "STATE", "ADDRESS", "");
        for (StatusView.ClientState c : s.clients()) {
            clients.row(
                    c.name(),
                    c.category(),
                    c.state(),
                    Objects.requireNonNullElse(c.address(), "-"),
                    Objects.requireNonNullElse(c.reason(), ""));
        }
        if (!clients.isEmpty()) {
            text.append('\n').append(clients);
        }
        return text.toString();
    }
}
