package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Everything that a member's machine remembers. Only {@code role}, {@code epoch}, {@code lineage}, {@code
 * promise} and {@code promisedTo} are durable, by the effects that say so; the rest is lost in a crash.
 *
 * @param config what it was told once
 * @param role what it may do
 * @param epoch newest epoch of the lineage that it belongs to
 * @param lineage epoch at which that lineage was opened: in P2 {@code epoch} itself
 * @param promise highest epoch that it has joined or sealed for
 * @param promisedTo who got that promise; empty text for none
 * @param seen highest epoch or promise heard of anywhere, never below {@code promise}
 * @param round number of this start
 * @param confirmations members of both sites that confirmed in this round
 * @param attempt the promotion or planned move under way
 * @param replication how the peer follows, while ACTIVE or DRAINING
 * @param caughtUp whether CATCHUP has passed its barrier
 * @param silentMillis how long the peer has not answered in time
 * @param waitMillis how long the attempt, or the level state of CATCHUP, has lasted
 * @param group the Raft group, in P3
 */
public record SiteState(
        SiteConfig config,
        SiteRole role,
        Epoch epoch,
        Epoch lineage,
        Epoch promise,
        String promisedTo,
        Epoch seen,
        long round,
        Set<String> confirmations,
        Optional<Attempt> attempt,
        ReplicationState replication,
        boolean caughtUp,
        long silentMillis,
        long waitMillis,
        GroupView group) {
    /** Copies the set. */
    public SiteState {
        confirmations = sorted(confirmations);
    }

    /** A copy that iterates in the same order everywhere. */
    private static Set<String> sorted(Set<String> set) {
        return set.isEmpty() ? Set.of() : Collections.unmodifiableSet(new TreeSet<>(set));
    }

    /**
     * A change of epoch under way.
     *
     * @param epoch the new one
     * @param reason {@code forced}, {@code automatic} or {@code switchover}
     * @param coordinator who promotes the new site
     * @param promises own members whose promise for it is durable
     * @param stage how far it is
     * @param logs in TAILS, once logs were read and were too few: the members whose log it was
     */
    public record Attempt(
            Epoch epoch,
            String reason,
            String coordinator,
            Set<String> promises,
            Stage stage,
            Optional<Set<String>> logs) {
        /** Copies the sets. */
        public Attempt {
            promises = sorted(promises);
            logs = logs.map(SiteState::sorted);
        }

        /** One that begins. */
        Attempt(Epoch epoch, String reason, String coordinator, Stage stage) {
            this(epoch, reason, coordinator, Set.of(), stage, Optional.empty());
        }

        Attempt with(Stage next) {
            return new Attempt(epoch, reason, coordinator, promises, next, Optional.empty());
        }

        Attempt withPromise(String member) {
            Set<String> more = new TreeSet<>(promises);
            more.add(member);
            return new Attempt(epoch, reason, coordinator, more, stage, logs);
        }

        Attempt withTooFew(Set<String> members) {
            return new Attempt(epoch, reason, coordinator, promises, stage, Optional.of(members));
        }
    }

    /**
     * How far an attempt is. Those of a fork belong to SEALING and PROMOTING, those of a takeover in the
     * same lineage (P3) to STANDBY and PROMOTING, the rest to DRAINING.
     */
    public enum Stage {
        /** Collects promises of own members (SEALING). */
        PROMISES,
        /** Reads tails (PROMOTING). */
        TAILS,
        /** Opens the lineage (PROMOTING). */
        LINEAGE,
        /** Commits the EpochChange (PROMOTING). */
        COMMIT,
        /** Asks the witness (STANDBY). */
        WITNESS,
        /** Waits until the old leader's lease is over (PROMOTING). */
        LEASE,
        /** Commits the EpochChange in the same lineage (PROMOTING). */
        TAKEOVER,
        /** Running jobs end (DRAINING). */
        JOBS,
        /** The other site draws level (DRAINING). */
        BARRIER,
        /** Own members promise; from here on there is no way back (DRAINING). */
        SEAL,
        /** Commits the EpochChange (DRAINING). */
        HANDOVER
    }

    /** A member whose disk has not been read. */
    public static SiteState booting(SiteConfig config) {
        Epoch none = new Epoch(0, Site.LOCAL);
        return new SiteState(
                config,
                SiteRole.BOOT,
                none,
                none,
                none,
                "",
                none,
                0,
                Set.of(),
                Optional.empty(),
                ReplicationState.ASYNC,
                false,
                0,
                0,
                config.profile().isP3() ? GroupView.UNKNOWN : GroupView.NONE);
    }

    /**
     * Whether this member may command agents and stores. In P3 only while its lease lasts: a shell
     * that has not ticked for {@link GroupView#leaseLeftMillis} must not command any more.
     */
    public boolean mayCommand() {
        boolean commands =
                role == SiteRole.ACTIVE
                        || (role == SiteRole.DRAINING
                                && attempt.map(Attempt::stage)
                                        .filter(s -> s == Stage.SEAL || s == Stage.HANDOVER)
                                        .isEmpty());
        return commands && (!group.stretched() || group.leaseLeftMillis() > 0);
    }

    /** Whether writes may be acknowledged although the other site does not have them. */
    public boolean mayAckUnprotected() {
        return mayCommand()
                && (replication == ReplicationState.ASYNC
                        || replication == ReplicationState.CATCHUP);
    }

    /** The state as a map for screens and logs. */
    public Map<String, String> describe() {
        Map<String, String> out = new TreeMap<>();
        out.put("role", role.name());
        out.put("epoch", epoch.toString());
        out.put("promise", promise.toString());
        out.put("seen", seen.toString());
        out.put("replication", replication.name());
        if (config.profile().isP3()) {
            out.put("lineage", lineage.toString());
            out.put("group", group.stretched() ? "stretched" : "own site only");
            out.put("leader", group.leading() ? config.self() : group.leader());
            out.put("leaseMillis", Long.toString(group.leaseLeftMillis()));
        }
        attempt.ifPresent(a -> out.put("attempt", a.epoch() + " " + a.reason() + " " + a.stage()));
        return out;
    }
}
