package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;
import java.util.List;
import java.util.Set;

/** What a member's machine is told. The shell translates the world into these. */
public sealed interface SiteEvent {
    /**
     * What the disk says, first of all events.
     *
     * @param role durable role: ACTIVE, STANDBY, FENCED or WITNESS ({@code init} wrote ACTIVE at local)
     * @param epoch epoch of that role: the newest of the lineage that this member belongs to
     * @param lineage epoch at which that lineage was opened: in P2 {@code epoch} itself
     * @param promise durable promise, at least {@code epoch}
     * @param promisedTo member id to which the promise was given; empty text for none
     * @param round a number that no earlier start of this process used; answers carry it
     */
    record Booted(
            SiteRole role, Epoch epoch, Epoch lineage, Epoch promise, String promisedTo, long round)
            implements SiteEvent {
        /** In P2. */
        public Booted(SiteRole role, Epoch epoch, Epoch promise, String promisedTo, long round) {
            this(role, epoch, epoch, promise, promisedTo, round);
        }
    }

    /** A member of the other site asks what is known here. */
    record ConfirmAsked(String member, long round) implements SiteEvent {}

    /**
     * What a member of any site says about itself, asked or not. Every one is a sign of life, so it must
     * be told only of an answer to a question that was asked just now.
     *
     * @param member who
     * @param promise its promise
     * @param role its role
     * @param epoch epoch of its role
     * @param lineage epoch at which its lineage was opened: in P2 {@code epoch} itself
     * @param round of the question that it answers; 0 when nobody asked
     */
    record PeerReport(
            String member, Epoch promise, SiteRole role, Epoch epoch, Epoch lineage, long round)
            implements SiteEvent {
        /** In P2. */
        public PeerReport(String member, Epoch promise, SiteRole role, Epoch epoch, long round) {
            this(member, promise, role, epoch, epoch, round);
        }
    }

    /**
     * The operator wants this site active.
     *
     * @param force whether they insist although the other site answers, or may have been heard of
     * @param sights what members of the other site said just now, empty when none answered
     */
    record OperatorFailover(boolean force, List<Sight> sights) implements SiteEvent {
        /** Copies the list. */
        public OperatorFailover {
            sights = List.copyOf(sights);
        }
    }

    /** What a member of the other site said when the operator's command asked it. */
    record Sight(String member, SiteRole role, Epoch epoch) {}

    /** A member of the own site collects promises for an epoch. */
    record PromiseAsked(String candidate, Epoch epoch) implements SiteEvent {}

    /** A member, maybe this one, holds this promise on disk, given to this member. */
    record PromiseDurable(String member, Epoch epoch) implements SiteEvent {}

    /** A member has promised more, or the same to another. */
    record PromiseRefused(String member, Epoch promise) implements SiteEvent {}

    /**
     * The logs of these members were read whole, after their promise for this epoch.
     *
     * @param asked the members whose logs were asked for
     * @param members those of them that gave theirs
     * @param newest the newest epoch in the longest of them, committed or not: in P3 a change that was never
     *     applied may be above the attempt
     */
    record TailsRead(Epoch epoch, Set<String> asked, Set<String> members, Epoch newest)
            implements SiteEvent {
        /** Copies the sets. */
        public TailsRead {
            asked = Set.copyOf(asked);
            members = Set.copyOf(members);
        }

        /** Everybody who was asked gave a log. */
        public TailsRead(Epoch epoch, Set<String> members, Epoch newest) {
            this(epoch, members, members, newest);
        }

        /** In P2, where only a planned move's EpochChange can stand there, and names this attempt. */
        public TailsRead(Epoch epoch, Set<String> members) {
            this(epoch, members, new Epoch(0, epoch.site()));
        }
    }

    /** The Raft group of this epoch's lineage exists on the own members. */
    record LineageOpen(Epoch epoch) implements SiteEvent {}

    /** An EpochChange is committed; in DRAINING also PROTECTED. */
    record EpochChangeCommitted(Epoch epoch) implements SiteEvent {}

    /** The old lineage's EpochChange of a planned move was applied here; this member may lead it. */
    record SwitchoverApplied(Epoch epoch, String coordinator) implements SiteEvent {}

    /**
     * The operator wants the other site active, without loss.
     *
     * @param coordinator member of the other site that shall promote it
     * @param lagBounded whether chunks and catalog are near enough to end soon
     * @param silentMembers own members that do not answer
     */
    record OperatorSwitchover(String coordinator, boolean lagBounded, Set<String> silentMembers)
            implements SiteEvent {
        /** Copies the set. */
        public OperatorSwitchover {
            silentMembers = Set.copyOf(silentMembers);
        }
    }

    /** No job runs any more. */
    record Drained() implements SiteEvent {}

    /** The other site has everything up to the end of draining. */
    record BarrierReached() implements SiteEvent {}

    /** It took too long. */
    record BarrierTimeout() implements SiteEvent {}

    /** Somebody (an agent, a store, a peer) refused our epoch and named a higher one. */
    record HigherEpochSeen(Epoch epoch) implements SiteEvent {}

    /** The divergent suffix is archived and reported; the lineage of this epoch can be joined. */
    record ReconcileDone(Epoch epoch) implements SiteEvent {}

    /** The ack quorum of the passive site answered within its time. */
    record PeerInTime() implements SiteEvent {}

    /** A replication state is committed in Raft. */
    record ReplicationCommitted(ReplicationState state) implements SiteEvent {}

    /** SiteAck, chunks and catalog have passed the barrier taken when CATCHUP began. */
    record CaughtUp() implements SiteEvent {}

    /** Time has passed on a monotonic clock. */
    record Tick(long elapsedMillis) implements SiteEvent {}

    /** This member leads the lineage's group in this term, and has applied all committed before. */
    record RaftLeading(long term) implements SiteEvent {}

    // ---- only in profile P3

    /**
     * The Raft group's committed configuration: whether its voters stand at both sites and the witness.
     * Told at the start, and when it changes; false, too, when this member left or closed the group.
     */
    record GroupShape(boolean stretched) implements SiteEvent {}

    /**
     * A majority of the group's voters has answered, in this term, what this member sent
     * {@code ageMillis} ago or later. Counted from the sending, on this member's monotonic clock.
     */
    record RaftMajority(long term, long ageMillis) implements SiteEvent {}

    /** Another member leads, or nobody that is known (empty text). */
    record RaftFollowing(String leader) implements SiteEvent {}

    /** An EpochChange was applied here, in the lineage that this member belongs to. */
    record EpochApplied(Epoch epoch, String coordinator) implements SiteEvent {}

    /** What the applied record says about automatic failover. */
    record AutoFailover(boolean on, Profile.Requires requires) implements SiteEvent {}

    /**
     * What the applied record says about the data.
     *
     * @param backupsProtected whether ReplState is SYNC and every completed backup is DR_PROTECTED
     */
    record DataStanding(boolean backupsProtected) implements SiteEvent {}

    /** A member that leads asks the witness whether it has lost these members, too. */
    record WitnessAsked(String candidate, Set<String> lost, long term, long question)
            implements SiteEvent {
        /** Copies the set. */
        public WitnessAsked {
            lost = Set.copyOf(lost);
        }
    }

    /** The witness's answer. */
    record WitnessAnswered(boolean lost, long term, long question) implements SiteEvent {}
}
