package io.holdfast.node.server;

import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.replication.raft.Member;
import io.holdfast.replication.raft.RaftEvents;
import io.holdfast.replication.raft.RaftHost;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.EpochRecord;
import io.holdfast.replication.state.ReplState;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the site machine how the Raft group of this node's lineage stands: who leads it, whether it is
 * stretched over both sites and the witness (P3), and what its record says. It looks every {@link
 * #ROUND} and tells what has changed, so that no event of Raft can be missed, however early it comes;
 * that this node leads, or leads no more, it hears at once.
 *
 * <p>While this node leads a stretched group, a second thread asks Raft for its majority every {@link
 * #LEASE_ROUND}, and tells what was answered, counted from the sending.
 */
final class GroupWatch implements RaftEvents, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GroupWatch.class);
    private static final Duration ROUND = Duration.ofMillis(100);
    private static final Duration LEASE_ROUND = Duration.ofMillis(500);

    private final RaftHost raft;
    private final ClusterLog log;
    private final Supplier<Mbr> mbr;
    private final String self;
    private final Supplier<Epoch> known;
    private final Consumer<SiteEvent> machine;
    private final LongConsumer majorityAt;
    private @Nullable UUID lineage;
    private @Nullable Boolean stretched;
    private @Nullable Boolean backupsProtected;
    private SiteEvent.@Nullable AutoFailover automatic;
    private @Nullable String leader;
    private long term;
    private volatile boolean closed;

    /**
     * @param known the machine's epoch
     * @param machine takes events
     * @param majorityAt told when that was sent, on {@link System#nanoTime}, which a majority has answered
     */
    GroupWatch(
            RaftHost raft,
            ClusterLog log,
            Supplier<Mbr> mbr,
            String self,
            Supplier<Epoch> known,
            Consumer<SiteEvent> machine,
            LongConsumer majorityAt) {
        this.raft = raft;
        this.log = log;
        this.mbr = mbr;
        this.self = self;
        this.known = known;
        this.machine = machine;
        this.majorityAt = majorityAt;
    }

    void start() {
        Thread.ofVirtual().name("group-watch").start(() -> loop(ROUND, this::look));
        Thread.ofVirtual().name("lease").start(() -> loop(LEASE_ROUND, this::confirm));
    }

    private void loop(Duration pause, Runnable round) {
        while (!closed) {
            try {
                round.run();
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.debug("the group is just being opened or closed", e);
            }
        }
    }

    /** Whether voters stand at both sites and the witness: then no place has a majority alone. */
    static boolean isStretched(Mbr mbr, List<Member> members) {
        Set<Site> places = EnumSet.noneOf(Site.class);
        members.stream()
                .filter(Member::voter)
                .forEach(m -> mbr.siteOf(m.nodeId()).ifPresent(places::add));
        return places.size() == Site.values().length;
    }

    private synchronized void look() {
        UUID now = log.lineage();
        if (!now.equals(lineage)) {
            lineage = now;
            leader = null;
            term = 0;
        }
        boolean open = raft.isOpen(now);
        boolean wide = open && isStretched(mbr.get(), raft.members(now));
        if (stretched == null || wide != stretched) {
            stretched = wide;
            machine.accept(new SiteEvent.GroupShape(wide));
        }
        if (raft.isLeader(now)) {
            leads(raft.term(now));
        } else {
            follows(raft.leader(now).filter(id -> !id.equals(self)).orElse(""));
        }
        if (open) {
            record(now);
        }
    }

    private void record(UUID now) {
        ClusterState state = log.state();
        if (!state.isSeeded() || state.epochs().isEmpty()) {
            return;
        }
        Command.EpochChange newest = state.epochs().getLast().change();
        boolean inThis = newest.lineage().equals(now) && !openedBy(state, newest);
        if (inThis && newest.epoch().compareTo(known.get()) > 0) {
            machine.accept(
                    new SiteEvent.EpochApplied(
                            newest.epoch(), SiteOperations.coordinatorOf(newest).orElse("")));
        }
        SiteEvent.AutoFailover says = autoFailover(state);
        if (!says.equals(automatic)) {
            automatic = says;
            machine.accept(says);
        }
        boolean safe =
                state.repl().mode() == ReplState.Mode.SYNC && state.unprotectedPieces().isEmpty();
        if (backupsProtected == null || safe != backupsProtected) {
            backupsProtected = safe;
            machine.accept(new SiteEvent.DataStanding(safe));
        }
    }

    static SiteEvent.AutoFailover autoFailover(ClusterState state) {
        return new SiteEvent.AutoFailover(state.autoFailover(), state.autoFailoverRequires());
    }

    /** Whether the lineage begins with this change; such a one is told by whoever opened it. */
    private static boolean openedBy(ClusterState state, Command.EpochChange change) {
        return state.epochs().stream()
                .map(EpochRecord::change)
                .noneMatch(c -> c.lineage().equals(change.lineage()) && !c.equals(change));
    }

    private void leads(long now) {
        if (now != term) {
            term = now;
            leader = self;
            machine.accept(new SiteEvent.RaftLeading(now));
        }
    }

    private void follows(String now) {
        if (!now.equals(leader)) {
            term = 0;
            leader = now;
            machine.accept(new SiteEvent.RaftFollowing(now));
        }
    }

    @Override
    public synchronized void leaderReady(UUID of, long now) {
        if (of.equals(lineage)) {
            leads(now);
        }
    }

    @Override
    public synchronized void notLeader(UUID of) {
        if (of.equals(lineage)) {
            follows("");
        }
    }

    private void confirm() {
        UUID of;
        long in;
        synchronized (this) {
            if (term == 0 || lineage == null || !Boolean.TRUE.equals(stretched)) {
                return;
            }
            of = lineage;
            in = term;
        }
        long sent = System.nanoTime();
        if (raft.confirmLeadership(of, in)) {
            majorityAt.accept(sent);
            machine.accept(new SiteEvent.RaftMajority(in, (System.nanoTime() - sent) / 1_000_000));
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
