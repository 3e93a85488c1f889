package io.holdfast.node.cli;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.ReconcileView;
import io.holdfast.node.api.Requests;
import io.holdfast.node.api.Saved;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what became of a site that returned. */
@Command(
        name = "reconcile",
        description = {
            "Show what became of a site that returned: merged pieces, settings, catch-up.",
            "What it had changed is never applied by itself: apply what you want, then sign."
        },
        subcommands = {ReconcileCommand.Apply.class, ReconcileCommand.Sign.class},
        footer = {
            "",
            "Example: holdfast reconcile",
            "         holdfast reconcile apply --additive",
            "         holdfast reconcile sign"
        })
final class ReconcileCommand extends ApiCommand {
    @Override
    int run(ClusterClient cluster, Output output) {
        ReconcileView view = cluster.read(api -> api.reconcileReport());
        output.result(view, Failovers.show(view));
        return ExitCode.DONE;
    }

    /** Makes changes of the returned site here too. */
    @Command(
            name = "apply",
            description = {
                "Make one change of the returned site here too, or all that are new.",
                "It is an ordinary write: refused when the resource has changed meanwhile."
            },
            footer = {
                "",
                "Example: holdfast reconcile apply policy/month",
                "         holdfast reconcile apply --additive"
            })
    static final class Apply extends ApiCommand {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "ITEM",
                description = "Id of the resource, or TYPE/NAME.")
        private String item = "";

        @Option(
                names = "--additive",
                description = "Everything that is new and whose name is free.")
        private boolean additive;

        @Override
        int run(ClusterClient cluster, Output output) {
            if (additive == !item.isEmpty()) {
                throw new Problem(
                        ExitCode.USAGE,
                        "Give an ITEM, or --additive.",
                        "See the items with: holdfast reconcile");
            }
            List<ReconcileView.Setting> wanted = wanted(cluster.read(api -> api.reconcileReport()));
            List<Saved<ReconcileView.Setting>> done = new ArrayList<>();
            for (ReconcileView.Setting setting : wanted) {
                long version = setting.ours() == null ? 0 : setting.ours().version();
                done.add(
                        cluster.write(api ->
                                api.reconcileApply(
                                        new Requests.Reapply(
                                                setting.item(),
                                                version,
                                                cluster.context().operator()))));
            }
            if (done.isEmpty()) {
                output.result(List.of(), "Nothing is additive; nothing was changed.");
                return ExitCode.DONE;
            }
            List<ReconcileView.Setting> settings = done.stream().map(Saved::result).toList();
            // The newest is in the log behind all others: whoever has it has them.
            output.saved(
                    done.getLast().with(settings), "Applied:\n" + Failovers.settings(settings));
            return ExitCode.DONE;
        }

        private List<ReconcileView.Setting> wanted(ReconcileView report) {
            List<ReconcileView.Setting> found =
                    report.settings().stream()
                            .filter(s ->
                                    additive
                                            ? s.classification().equals("ADDITIVE")
                                            : s.item().toString().equals(item)
                                                    || item.equals(s.type() + "/" + s.resource()))
                            .toList();
            if (!additive && found.size() != 1) {
                throw new ApiException(
                        ApiException.Kind.NOT_FOUND,
                        found.isEmpty()
                                ? "The report names no item '" + item + "'"
                                : found.size() + " items are named '" + item + "'",
                        "Take an id from: holdfast reconcile");
            }
            return found;
        }
    }

    /** Signs the report. */
    @Command(
            name = "sign",
            description = {
                "Sign the report of a return: you have looked at it, and applied what you want.",
                "Then the way home is free. Nothing is deleted; the report stays readable."
            },
            footer = {"", "Example: holdfast reconcile sign --reason 'kept ours'"})
    static final class Sign extends ApiCommand {
        @Mixin private Confirmation confirmation = new Confirmation();

        @Override
        int run(ClusterClient cluster, Output output) {
            ReconcileView before = cluster.read(api -> api.reconcileReport());
            if (!before.needsSignature()) {
                output.result(before, "Nothing waits for a signature.");
                return ExitCode.DONE;
            }
            output.note(Failovers.show(before));
            confirmation.require(
                    cluster.context().name(),
                    "What is not applied above stays as it is here.",
                    output);
            Saved<ReconcileView> after =
                    cluster.write(api ->
                            api.reconcileSign(
                                    new Requests.Sign(
                                            cluster.context().operator(), confirmation.reason())));
            output.saved(after, "Signed. The way home is free: holdfast switchover --to SITE");
            return ExitCode.DONE;
        }
    }
}
