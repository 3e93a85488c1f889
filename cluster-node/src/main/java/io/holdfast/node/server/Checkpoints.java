package io.holdfast.node.server;

import io.holdfast.node.server.Lookup.Client;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Draining;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.replication.state.JobState;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Job;
import io.holdfast.standard.Uuid7;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Which jobs a planned move waits for, which it stops, and which of those go on later, as what. Pure.
 *
 * <table>
 * <caption>A job that is open when the move begins</caption>
 * <tr><td>ends while it is waited for</td><td>as it ends</td></tr>
 * <tr><td>backup, open when the drain's time is over</td><td>its agent is asked to stop: CHECKPOINTED. Where
 *     its client goes on, a successor is opened as soon as the move is done or given up; else when a site
 *     is active at which it does</td></tr>
 * <tr><td>restore, likewise</td><td>CHECKPOINTED, and its message says how to order it again: the files that it
 *     has written are at the site that is left, and the client's stand-in is another machine</td></tr>
 * <tr><td>open {@link MoveLimits#STOP} after that</td><td>goes on; the move is given up</td></tr>
 * </table>
 *
 * <p>A successor reads its source again and sends what the storage lacks: the agent's file cache belongs to an
 * epoch and a store. Its id follows from the job and the epoch, so two leaders of one epoch open the same one;
 * that there is one whatever the epoch, the record says.
 */
final class Checkpoints {
    private Checkpoints() {}

    /** What a move that drains does now. */
    sealed interface Next {
        /** No job is open: nothing holds it up. */
        record Drained() implements Next {}

        /** It waits for these to end by themselves. */
        record Await(List<JobRecord> jobs) implements Next {}

        /** It asks their agents to stop these. */
        record Stop(List<JobRecord> jobs) implements Next {}

        /** It ends: these did not stop in time. */
        record GiveUp(List<JobRecord> jobs) implements Next {}
    }

    /**
     * What a move that drains does now.
     *
     * @param open the open jobs
     * @param waited since the move was prepared
     */
    static Next next(List<JobRecord> open, Duration waited, MoveLimits limits) {
        if (open.isEmpty()) {
            return new Next.Drained();
        }
        if (waited.compareTo(limits.drain()) < 0) {
            return new Next.Await(open);
        }
        return waited.compareTo(limits.drain().plus(MoveLimits.STOP)) < 0
                ? new Next.Stop(open)
                : new Next.GiveUp(open);
    }

    /** What the record says of a job whose agent has stopped it; what follows is added when shown. */
    static String message(JobRecord job, Optional<Draining> move) {
        String by =
                "Checkpointed by "
                        + move.map(m -> "the switchover to " + m.target().word())
                                .orElse("a switchover");
        if (job.kind().equals("backup")) {
            return by + "; what it had stored is kept";
        }
        String target = job.job().pairs().getFirst().output().location();
        return by
                + "; the files that it had restored stay in "
                + target
                + ", and no other job goes on with it. Order it again: holdfast restore "
                + JobPlanner.pieceOf(job.job()).map(UUID::toString).orElse("PIECE")
                + " --to CLIENT --target "
                + target
                + " --overwrite";
    }

    /** The same message, with what became of the job since. */
    static String shown(ClusterState state, JobRecord job) {
        if (job.state() != JobState.CHECKPOINTED || !job.kind().equals("backup")) {
            return job.message();
        }
        return job.message()
                + job.continuedBy()
                        .map(id ->
                                ". Goes on "
                                        + state.job(id)
                                                .map(j -> "at " + j.epoch().site().word() + " ")
                                                .orElse("")
                                        + "as job "
                                        + id)
                        .orElse(
                                ". Goes on as another job as soon as a site is active at which its"
                                        + " client is backed up");
    }

    /** The checkpointed backups that go on now: no move is under way, and their client is here. */
    static List<JobRecord> due(ClusterState state) {
        if (!state.isSeeded() || state.draining().isPresent()) {
            return List.of();
        }
        Lookup lookup = Lookup.in(state);
        return state.jobs().stream()
                .filter(JobRecord::awaitsSuccessor)
                .filter(j ->
                        lookup.client(j.client())
                                .filter(c ->
                                        Lookup.suspension(c.view(), state.epoch().site()).isEmpty())
                                .isPresent())
                .toList();
    }

    /**
     * What goes on with a checkpointed backup in this epoch: the same client, source and level.
     *
     * @throws io.holdfast.node.api.ApiException when its client's device, policy or key is gone
     */
    static Command.JobOpened successor(Lookup lookup, JobRecord job, Client client) {
        UUID id = successorId(lookup, job);
        Identifier source = job.job().pairs().getFirst().input();
        Job next =
                JobPlanner.backup(lookup, client, source.location(), id, JobPlanner.pieceFor(id));
        JobPlanner.requirePossible(lookup, client, next);
        return new Command.JobOpened(
                next, job.kind(), job.client(), job.level(), Optional.of(job.id()));
    }

    private static UUID successorId(Lookup lookup, JobRecord job) {
        UUID name =
                UUID.nameUUIDFromBytes(
                        ("successor/" + job.id() + "/" + lookup.state().epoch())
                                .getBytes(StandardCharsets.UTF_8));
        return Uuid7.of(
                job.endedMicros() / 1000,
                name.getMostSignificantBits(),
                name.getLeastSignificantBits());
    }

    /** For the status: one sentence for each checkpointed backup that is not done with. */
    static List<String> sentences(Lookup lookup) {
        List<String> all = new ArrayList<>();
        for (JobRecord job : lookup.state().jobs()) {
            String name =
                    lookup.client(job.client())
                            .map(c -> c.view().name())
                            .orElse(job.client().toString());
            Optional<UUID> running =
                    job.continuedBy()
                            .filter(id ->
                                    lookup.state()
                                            .job(id)
                                            .filter(j -> j.state() == JobState.OPEN)
                                            .isPresent());
            if (job.awaitsSuccessor() && lookup.client(job.client()).isPresent()) {
                all.add(
                        "Backup "
                                + job.id()
                                + " of "
                                + name
                                + " is CHECKPOINTED, and goes on when its client is backed up at the"
                                + " active site");
            } else if (running.isPresent()) {
                all.add(
                        "Backup "
                                + job.id()
                                + " of "
                                + name
                                + " was CHECKPOINTED, and goes on as job "
                                + running.get());
            }
        }
        return all;
    }
}
