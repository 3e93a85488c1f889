package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.Set;

/**
 * What the shell has to do, in the order of the decision, each finished before the next begins: what is
 * persisted stands before what is announced, so a crash between two effects announces nothing untrue.
 */
public sealed interface SiteEffect {
    /** Make the promise durable (file and folder), then tell {@code PromiseDurable} of oneself. */
    record PersistPromise(Epoch epoch, String candidate) implements SiteEffect {}

    /**
     * Make the role durable, before anything of it is visible.
     *
     * @param role what it is
     * @param epoch newest epoch of its lineage
     * @param lineage epoch at which that lineage was opened: in P2 {@code epoch} itself
     */
    record PersistRole(SiteRole role, Epoch epoch, Epoch lineage) implements SiteEffect {}

    /** Send no SiteAck for lineages below this epoch any more. */
    record CloseAckGate(Epoch epoch) implements SiteEffect {}

    /** Ask the members of both sites what they know, again and again while in AWAIT_CONFIRM. */
    record AskConfirmation(Set<String> members, long round) implements SiteEffect {}

    /** Answer a member's question. */
    record SendReport(
            String member, Epoch promise, SiteRole role, Epoch epoch, Epoch lineage, long round)
            implements SiteEffect {}

    /** Ask own members for their promise, again and again until the attempt ends. */
    record AskPromises(Set<String> members, Epoch epoch) implements SiteEffect {}

    /** Tell the candidate that the promise is durable here. */
    record GrantPromise(String candidate, Epoch epoch) implements SiteEffect {}

    /** Tell the candidate that another promise stands. */
    record RefusePromise(String candidate, Epoch promise) implements SiteEffect {}

    /**
     * Read the whole logs of these members, which have promised, and tell {@code TailsRead}. Of each member
     * the log of the lineage that it stands in, or the newest that it has whole, see {@link TailKey}.
     */
    record ReadTails(Epoch epoch, Set<String> members) implements SiteEffect {}

    /**
     * Close this member's Raft groups but that of this lineage; keep them readable. In P3 that lineage may
     * be older than one that is closed: the member comes back from a fork of its own.
     */
    record CloseLineage(Epoch but) implements SiteEffect {}

    /** Create the Raft group of this epoch on the own members, then tell {@code LineageOpen}. */
    record OpenLineage(Epoch epoch) implements SiteEffect {}

    /**
     * Put the state and every entry of the longest tail that was read into the new lineage. What this
     * member's own logs have beside it is reported: it promotes, so no T10 will do that.
     */
    record SeedLineage(Epoch epoch) implements SiteEffect {}

    /**
     * Commit EpochChange and RewriteMap, then tell {@code EpochChangeCommitted}.
     *
     * @param epoch the new epoch
     * @param parent epoch of the lineage that it forks from
     * @param reason {@code forced} or {@code switchover}
     * @param coordinator member that promotes its site, for a switchover
     */
    record CommitEpochChange(Epoch epoch, Epoch parent, String reason, String coordinator)
            implements SiteEffect {}

    /**
     * Commit EpochChange in the lineage that this member leads, on condition that {@code parent} is still
     * its epoch (P3). {@code EpochApplied} tells every member; if it certainly failed, nothing is told.
     *
     * @param epoch the new epoch
     * @param parent epoch that it follows
     * @param reason {@code forced}, {@code automatic} or {@code switchover}
     * @param coordinator who shall lead
     */
    record ChangeEpoch(Epoch epoch, Epoch parent, String reason, String coordinator)
            implements SiteEffect {}

    /** Send SiteAcks for this lineage again: its newest epoch is no lower than the promise (P3). */
    record OpenAckGate(Epoch lineage) implements SiteEffect {}

    /** Ask the witness whether it has lost these members, too (P3). */
    record AskWitness(String witness, Set<String> lost, long term, long question)
            implements SiteEffect {}

    /** The witness's answer to a member that leads (P3). */
    record AnswerWitness(String candidate, boolean lost, long term, long question)
            implements SiteEffect {}

    /** Give this site's members the highest priority in the group, and the lead to one of them (P3). */
    record PreferSite(Site site) implements SiteEffect {}

    /** Begin schedules, agent commands and garbage collection in this epoch. */
    record StartServices(Epoch epoch) implements SiteEffect {}

    /** End them; what runs is aborted. */
    record StopServices() implements SiteEffect {}

    /** Commit SwitchPrepare and admit no job; let running ones end; then tell {@code Drained}. */
    record Drain(Epoch epoch) implements SiteEffect {}

    /** Wait until the other site has everything; tell {@code BarrierReached} or the timeout. */
    record AwaitBarrier(Epoch epoch) implements SiteEffect {}

    /** Commit SwitchAbort and admit jobs again, in the same epoch. */
    record AbortDrain(Epoch epoch) implements SiteEffect {}

    /** Archive and report what only this member has, then tell {@code ReconcileDone}. */
    record BeginReconcile(Epoch epoch) implements SiteEffect {}

    /**
     * Join a lineage. As a new member; but one that it has left before goes on with the log that it closed,
     * because Raft takes it for the voter that it was (P3).
     *
     * @param epoch its newest epoch
     * @param lineage epoch at which it was opened: in P2 {@code epoch} itself
     */
    record JoinLineage(Epoch epoch, Epoch lineage) implements SiteEffect {}

    /** Commit this replication state, then tell {@code ReplicationCommitted}. */
    record CommitReplication(ReplicationState state) implements SiteEffect {}

    /** From now on UNPROTECTED acknowledgements are allowed. */
    record AllowUnprotectedAcks() implements SiteEffect {}

    /** Capture the indexes that CATCHUP has to pass, then tell {@code CaughtUp} when it has. */
    record CaptureBarrier() implements SiteEffect {}

    /** Tell the operator why not. Certainly nothing was done. */
    record Refuse(String reason) implements SiteEffect {}

    /** An event that means nothing in this state, for the log. */
    record Ignore(SiteEvent event, SiteRole role) implements SiteEffect {
        /** A line for the log. */
        public String reason() {
            return event + " means nothing in " + role;
        }
    }
}
