package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SimLog.Entry;
import io.holdfast.modeswitch.SimLog.Kind;
import io.holdfast.modeswitch.SimLog.SimGroup;
import io.holdfast.modeswitch.SiteState.Attempt;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What a node does around its machine: performs effects, acknowledges, is adopted. */
final class SimShell {
    private static final long IN_TIME_MILLIS = 150;
    private static final long BARRIER_MILLIS = 500;

    /** How often a member asks for the logs before it goes on with what it has got. */
    private static final int READ_TRIES = 3;

    record ReadTailsNow(Epoch epoch, Set<String> members, int tries) {}

    record OpenHere(SimGroup group, String candidate) {}

    record Acknowledge(SiteAck ack, int incarnation) {}

    record Admit(Epoch epoch, Epoch lineage, int incarnation) {}

    record Command(int agent, long epoch) {}

    private final Simulation world;

    SimShell(Simulation world) {
        this.world = world;
    }

    // ---- effects

    void perform(SimMember m, SiteEffect effect) {
        switch (effect) {
            case SiteEffect.PersistPromise e -> {
                m.diskPromise = e.epoch();
                m.diskPromisedTo = e.candidate();
                if (e.candidate().equals(m.id)) {
                    world.net.self(m, new SiteEvent.PromiseDurable(m.id, e.epoch()), 10);
                }
            }
            case SiteEffect.PersistRole e -> {
                m.diskRole = e.role();
                m.diskEpoch = e.epoch();
                m.diskLineage = e.lineage();
            }
            case SiteEffect.CloseAckGate e -> m.gate = Draft.max(m.gate, e.epoch());
            case SiteEffect.OpenAckGate e -> m.gate = e.lineage();
            case SiteEffect.AskConfirmation e ->
                    toAll(m, e.members(), new SiteEvent.ConfirmAsked(m.id, e.round()));
            case SiteEffect.SendReport e ->
                    world.net.send(
                            m,
                            world.member(e.member()),
                            new SiteEvent.PeerReport(
                                    m.id,
                                    e.promise(),
                                    e.role(),
                                    e.epoch(),
                                    e.lineage(),
                                    e.round()));
            case SiteEffect.AskPromises e -> askPromises(m, e);
            case SiteEffect.GrantPromise e -> {
                world.checks.granted(m, e.epoch());
                world.net.send(
                        m,
                        world.member(e.candidate()),
                        new SiteEvent.PromiseDurable(m.id, e.epoch()));
            }
            case SiteEffect.RefusePromise e ->
                    world.net.send(
                            m,
                            world.member(e.candidate()),
                            new SiteEvent.PromiseRefused(m.id, e.promise()));
            case SiteEffect.ReadTails e ->
                    world.net.self(m, new ReadTailsNow(e.epoch(), e.members(), 1), 15);
            case SiteEffect.CloseLineage e -> close(m, e.but());
            case SiteEffect.OpenLineage e -> open(m, e.epoch());
            // The seed itself and the EpochChange are one step: see CommitEpochChange.
            case SiteEffect.SeedLineage e -> archive(m);
            case SiteEffect.CommitEpochChange e -> commitEpochChange(m, e);
            case SiteEffect.ChangeEpoch e -> changeEpoch(m, e);
            case SiteEffect.StartServices e -> world.checks.activated(m, e.epoch());
            case SiteEffect.StopServices e -> {}
            case SiteEffect.Drain e -> {
                m.drainSince = world.now;
                m.pendingPrepare = propose(m, Kind.PREPARE);
            }
            case SiteEffect.AwaitBarrier e -> {
                m.barrier = m.log == null ? 0 : m.log.length;
                m.drainSince = world.now;
            }
            case SiteEffect.AbortDrain e -> propose(m, Kind.ABORT);
            case SiteEffect.BeginReconcile e -> {
                archive(m);
                world.counts.reconciled++;
                world.net.self(m, new SiteEvent.ReconcileDone(e.epoch()), 40);
            }
            case SiteEffect.JoinLineage e -> join(m, e.lineage());
            case SiteEffect.CommitReplication e -> m.wantedReplication = e.state();
            case SiteEffect.AllowUnprotectedAcks e -> {}
            case SiteEffect.CaptureBarrier e -> {
                m.catchUp = m.log == null ? 0 : m.log.length;
                m.levelAt = -1;
                world.checks.catchUpBegins(m);
            }
            case SiteEffect.AskWitness e ->
                    world.net.send(
                            m,
                            world.member(e.witness()),
                            new SiteEvent.WitnessAsked(m.id, e.lost(), e.term(), e.question()));
            case SiteEffect.AnswerWitness e -> {
                SimMember candidate = world.member(e.candidate());
                if (e.lost()) {
                    m.agreedAt[candidate.index] = world.now;
                }
                world.net.send(
                        m,
                        candidate,
                        new SiteEvent.WitnessAnswered(e.lost(), e.term(), e.question()));
            }
            case SiteEffect.PreferSite e -> world.raft.transfer(m, e.site());
            case SiteEffect.Refuse e -> world.trace(m, "%s", e.reason());
            case SiteEffect.Ignore e -> {}
        }
    }

    private void toAll(SimMember m, Set<String> members, SiteEvent event) {
        for (SimMember o : world.members) {
            if (members.contains(o.id)) {
                world.net.send(m, o, event);
            }
        }
    }

    private void askPromises(SimMember m, SiteEffect.AskPromises e) {
        SiteEvent asked = new SiteEvent.PromiseAsked(m.id, e.epoch());
        toAll(m, e.members(), asked);
    }

    // ---- lineages

    private static void close(SimMember m, Epoch but) {
        SimLog log = m.log;
        if (log != null && !log.group.fork.equals(but)) {
            log.truncate(log.durable);
            m.closed.add(log);
            m.log = null;
            m.dropLead();
            m.leader = -1;
        }
    }

    /** The tail with which a member takes part in a promotion; null when it has nothing whole. */
    @Nullable Read tail(SimMember m) {
        SimLog now = m.log;
        if (now != null && !world.rules.has(Rule.READ_ADMITTED)) {
            return read(m, now);
        }
        boolean stands = now != null && now.whole() && now.group.fork.equals(m.diskLineage);
        if (now != null && stands && world.rules.has(Rule.STANDS_IN_LINEAGE)) {
            return read(m, now);
        }
        List<Read> whole = new ArrayList<>();
        if (now != null && now.whole()) {
            whole.add(read(m, now));
        }
        for (SimLog log : m.closed) {
            if (log.whole()) {
                whole.add(read(m, log));
            }
        }
        return newest(whole);
    }

    /** What was read of a member. */
    record Read(SimLog log, TailKey key) {}

    private Read read(SimMember m, SimLog log) {
        Epoch known = log.group.fork;
        if (world.rules.has(Rule.STANDS_IN_LINEAGE)) {
            known = log.known();
            known = log.group.fork.equals(m.diskLineage) ? Draft.max(known, m.diskEpoch) : known;
        }
        return new Read(log, log.key(known));
    }

    private @Nullable Read newest(List<Read> reads) {
        if (!world.rules.has(Rule.NEWEST_LINEAGE_FIRST)) {
            return reads.stream().max(Comparator.comparingLong(r -> r.key().index())).orElse(null);
        }
        return TailKey.newest(reads, Read::key).orElse(null);
    }

    void readTails(SimMember m, ReadTailsNow read) {
        boolean wanted =
                m.state
                        .attempt()
                        .filter(a ->
                                a.epoch().equals(read.epoch())
                                        && a.stage() == SiteState.Stage.TAILS)
                        .isPresent();
        if (!wanted) {
            return;
        }
        Set<String> got = new TreeSet<>();
        List<Read> reads = new ArrayList<>();
        for (SimMember o : world.members) {
            if (read.members().contains(o.id)
                    && (o == m || (o.running() && world.net.bothWays(m, o)))
                    && o.diskPromise.equals(read.epoch())) {
                Read tail = tail(o);
                if (tail != null) {
                    got.add(o.id);
                    reads.add(tail);
                }
            }
        }
        Read best = newest(reads);
        boolean all = got.size() == read.members().size();
        if (!all && read.tries() < READ_TRIES) {
            world.net.self(m, new ReadTailsNow(read.epoch(), read.members(), read.tries() + 1), 60);
            return;
        }
        if (!all) {
            world.counts.missedLogs++;
        }
        if (best == null) {
            world.step(m, new SiteEvent.TailsRead(read.epoch(), read.members(), got, read.epoch()));
            return;
        }
        SimLog log = best.log();
        m.seed = Arrays.copyOf(log.entries, log.durable);
        world.trace(m, "reads %s, the longest is %s", got, best.key());
        Epoch newest = log.epochAt(log.durable);
        world.step(
                m,
                new SiteEvent.TailsRead(
                        read.epoch(), read.members(), got, newest == null ? read.epoch() : newest));
    }

    private void open(SimMember m, Epoch epoch) {
        Attempt attempt = m.state.attempt().orElseThrow();
        SimGroup group = world.open(epoch, m);
        for (SimMember o : world.members) {
            if (attempt.promises().contains(o.id)) {
                group.voter[o.index] = o.incarnation;
            }
        }
        m.log = new SimLog(group);
        offer(m);
        world.net.self(m, new SiteEvent.LineageOpen(epoch), 15);
    }

    private void offer(SimMember m) {
        SimLog log = m.log;
        if (log == null) {
            return;
        }
        for (SimMember o : world.members) {
            if (o != m && o.site() == m.site() && log.group.voter[o.index] == o.incarnation) {
                world.net.send(m, o, new OpenHere(log.group, m.id));
            }
        }
    }

    void openHere(SimMember m, OpenHere offer) {
        SimGroup group = offer.group();
        boolean promised =
                m.diskPromise.equals(group.fork) && m.diskPromisedTo.equals(offer.candidate());
        if (promised && (m.log == null || m.log.group.fork.compareTo(group.fork) < 0)) {
            close(m, group.fork);
            m.log = new SimLog(group);
        }
    }

    /** @return the entry; null when this member cannot write it */
    private @Nullable Entry propose(SimMember m, Kind kind) {
        SimLog log = m.log;
        if (log == null || !m.leads || !m.ready) {
            return null;
        }
        Entry entry = world.entry(kind, log.group, m.leadTerm);
        world.raft.append(m, entry);
        return entry;
    }

    private void commitEpochChange(SimMember m, SiteEffect.CommitEpochChange e) {
        SimLog log = m.log;
        if (log == null) {
            return;
        }
        if (m.state.role() == SiteRole.DRAINING) {
            handOver(m, log.group, e);
            return;
        }
        Entry entry = world.epochEntry(log.group, 1, e.epoch(), e.reason(), e.coordinator());
        for (Entry seeded : m.seed) {
            log.append(seeded);
        }
        m.seed = new Entry[0];
        if (e.reason().equals("switchover")) {
            world.planned(e.epoch(), e.parent());
        }
        world.checks.seeded(log, e.epoch());
        log.append(entry);
        log.durable = log.length;
        log.group.seedLength = log.length;
        m.pendingEpoch = entry;
        world.raft.lead(m, ++log.group.terms);
        m.pendingEpoch = entry;
    }

    /** Written by whoever leads the old lineage now; asked again until it is there. */
    private void handOver(SimMember m, SimGroup group, SiteEffect.CommitEpochChange e) {
        SimMember leader = leaderOf(m, group);
        SimLog log = leader == null ? null : leader.log;
        if (leader == null || log == null) {
            return;
        }
        Entry there = newestEpoch(log, e.epoch());
        if (there == null && takesEpoch(log, e.epoch())) {
            world.checks.handedOver(m, e.epoch());
            there =
                    world.epochEntry(
                            group, leader.leadTerm, e.epoch(), e.reason(), e.coordinator());
            there.handsOver = true;
            world.raft.append(leader, there);
            world.planned(e.epoch(), e.parent());
        }
        if (leader == m) {
            m.pendingEpoch = there;
        }
    }

    /** Whom a write of this member comes to. */
    private @Nullable SimMember leaderOf(SimMember m, SimGroup group) {
        SimMember found = null;
        for (SimMember o : world.members) {
            boolean leads = o.leads && o.ready && o.log != null && o.log.group == group;
            boolean reached = o == m || (o.running() && world.net.bothWays(m, o));
            if (leads && reached && (found == null || o.leadTerm > found.leadTerm)) {
                found = o;
            }
        }
        return found;
    }

    /**
     * The record refuses an epoch that is not above its own, and a planned move of which it does not say
     * that everything is across.
     */
    private boolean takesEpoch(SimLog log, Epoch epoch) {
        Epoch last = log.epochAt(log.length);
        return (last == null || epoch.compareTo(last) > 0)
                && (!world.rules.has(Rule.HANDOVER_DRAINED)
                        || (log.draining() && openJobs(log, log.length) <= 0));
    }

    private void changeEpoch(SimMember m, SiteEffect.ChangeEpoch e) {
        SimLog log = m.log;
        if (log == null || !m.leads || !m.ready || !e.parent().equals(log.epochAt(log.length))) {
            return;
        }
        if (e.reason().equals("automatic")) {
            world.checks.automatic(m, log);
            world.counts.autoFailovers++;
        } else if (e.reason().equals("forced")) {
            world.counts.operatorTakeovers++;
        } else {
            world.planned(e.epoch(), e.parent());
        }
        world.raft.append(
                m, world.epochEntry(log.group, m.leadTerm, e.epoch(), e.reason(), e.coordinator()));
    }

    // ---- return

    private void archive(SimMember m) {
        for (SimLog log : m.closed) {
            for (int i = 0; i < log.durable; i++) {
                if (!log.entries[i].reported) {
                    log.entries[i].reported = true;
                    world.counts.divergentEntries++;
                }
            }
        }
    }

    private void join(SimMember m, Epoch epoch) {
        if (m.log == null || !m.log.group.fork.equals(epoch)) {
            close(m, epoch);
            m.log = reopened(m, epoch);
        }
        m.shapeTold = false;
        if (!world.rules.has(Rule.ARCHIVE_DIVERGENT)) {
            world.checks.dropClosed(m);
        }
    }

    /** A lineage that it has left goes on with the log that it closed: Raft takes it for that voter. */
    private SimLog reopened(SimMember m, Epoch lineage) {
        for (SimLog log : m.closed) {
            if (log.group.fork.equals(lineage)) {
                m.closed.remove(log);
                log.commit = 0;
                log.applied = 0;
                return log;
            }
        }
        return new SimLog(world.group(lineage));
    }

    void tellShape(SimMember m) {
        SimLog log = m.log;
        if (m.config.profile().isP3() && m.running()) {
            boolean stretched =
                    log != null && log.group.stretched && log.group.fork.equals(m.state.lineage());
            if (m.state.group().stretched() != stretched) {
                world.step(m, new SiteEvent.GroupShape(stretched));
            }
        }
    }

    /**
     * Of the lineage that the machine stands in, and of no other: after a crash Raft may know one that
     * was joined, and the disk not yet say so. Looked at again and again, as by the node's GroupWatch.
     */
    void tellEpoch(SimMember m) {
        SimLog log = m.log;
        if (log == null || !log.group.stretched || !log.group.fork.equals(m.state.lineage())) {
            return;
        }
        Entry newest = log.newestEpoch(log.applied);
        if (newest != null
                && newest.epoch != null
                && newest.epoch.compareTo(log.group.fork) > 0
                && newest.epoch.compareTo(m.state.epoch()) > 0) {
            world.step(m, new SiteEvent.EpochApplied(newest.epoch, newest.coordinator));
        }
    }

    // ---- the passive site acknowledges

    void acknowledge(SimMember m) {
        SimLog log = m.log;
        if (log == null
                || m.leads
                || m.leader < 0
                || log.group.fork.compareTo(m.gate) < 0
                || !log.whole()) {
            return;
        }
        Epoch of = log.epochAt(log.applied);
        if (of == null) {
            return;
        }
        world.net.send(
                m,
                world.members[m.leader],
                new Acknowledge(
                        new SiteAck(
                                log.group.uuid, of, log.applied, m.id, m.storage(), m.diskPromise),
                        m.incarnation));
    }

    void acknowledged(SimMember m, int from, Acknowledge a) {
        SiteAckBook book = book(m);
        SimLog log = m.log;
        if (book == null || log == null) {
            return;
        }
        boolean counts = book.enter(a.ack(), log.length);
        SimMember o = world.members[from];
        if (!o.admitted) {
            world.trace(m, "hears of unadmitted %s: %s, %s", o.id, a.ack(), book.standings());
        }
        if (counts) {
            m.siteAckAt[from] = world.now;
            if (!o.admitted && o.incarnation == a.incarnation()) {
                world.net.send(m, o, new Admit(m.state.epoch(), m.state.lineage(), o.incarnation));
            }
        }
        committed(m, log);
    }

    private @Nullable SiteAckBook book(SimMember m) {
        boolean owner = m.state.role() == SiteRole.ACTIVE || m.state.role() == SiteRole.DRAINING;
        if (!m.leads || !m.ready || m.log == null || !owner) {
            return null;
        }
        SiteAckBook book = m.book;
        if (book == null
                || !book.epoch().equals(m.state.epoch())
                || !book.lineage().equals(m.log.group.uuid)) {
            SiteConfig c = m.config;
            Set<String> own = new TreeSet<>(c.ownMembers());
            own.remove(m.id);
            book =
                    new SiteAckBook(
                            m.log.group.uuid,
                            m.state.epoch(),
                            c.peerMembers(),
                            c.peerQuorum(),
                            own,
                            c.ownQuorum() - 1,
                            world.rules);
            m.book = book;
        }
        return book;
    }

    /** Re-admission: only with the promises of enough members of its site, given to nobody. */
    void admit(SimMember m, Admit admit) {
        if (m.admitted || m.incarnation != admit.incarnation()) {
            return;
        }
        Epoch promise = Draft.max(m.diskPromise, admit.epoch());
        int answers = 0;
        for (SimMember o : world.members) {
            if (o != m && o.site() == m.site() && o.running() && world.net.bothWays(m, o)) {
                promise = Draft.max(promise, o.diskPromise);
                answers++;
            }
        }
        int size = m.config.ownMembers().size();
        boolean others = world.burnt[m.site().code()] || size == 1;
        if (answers < size - m.config.ownQuorum() + 1 && !others) {
            return;
        }
        m.diskPromise = promise;
        admitted(m, admit.epoch(), admit.lineage());
    }

    void admitted(SimMember m, Epoch epoch, Epoch lineage) {
        m.admitted = true;
        world.burnt[m.site().code()] &= world.unadmitted(m.site()) > 0;
        boolean active = epoch.site() == m.site() && m.site() != Site.WITNESS;
        m.diskRole =
                m.site() == Site.WITNESS
                        ? SiteRole.WITNESS
                        : active ? SiteRole.ACTIVE : SiteRole.STANDBY;
        m.diskEpoch = epoch;
        m.diskLineage = lineage;
        m.diskPromise = Draft.max(m.diskPromise, epoch);
        world.counts.readmissions++;
        world.trace(m, "is admitted in %s", epoch);
        world.start(m);
    }

    // ---- the leader of the active site

    /** After every advance: acknowledgements to clients, and what waits for a commit. */
    void committed(SimMember m, SimLog log) {
        Entry replication = m.pendingReplication;
        if (replication != null && log.holds(replication, log.commit)) {
            m.pendingReplication = null;
            ReplicationState to = replication.replication;
            if (to != null && m.running()) {
                world.step(m, new SiteEvent.ReplicationCommitted(to));
            }
        }
        Entry prepare = m.pendingPrepare;
        if (prepare != null && log.holds(prepare, log.commit)) {
            m.pendingPrepare = null;
            world.net.self(m, new SiteEvent.Drained(), 80);
        }
        Entry epoch = m.pendingEpoch;
        if (m.log == log
                && m.leads
                && epoch != null
                && epoch.epoch != null
                && log.holds(epoch, log.commit)) {
            boolean there =
                    m.state.role() != SiteRole.DRAINING || protectedUpTo(m, log) >= log.commit;
            if (there) {
                m.pendingEpoch = null;
                world.step(m, new SiteEvent.EpochChangeCommitted(epoch.epoch));
            }
        }
        if (m.log == log && m.leads && m.ready) {
            answerClients(m, log);
        }
    }

    private int protectedUpTo(SimMember m, SimLog log) {
        SiteAckBook book = book(m);
        return book == null ? 0 : (int) Math.min(log.commit, book.protectedIndex());
    }

    private void answerClients(SimMember m, SimLog log) {
        SiteAckBook book = book(m);
        if (book == null) {
            return;
        }
        int shown = (int) Math.min(log.commit, book.protectedIndex());
        if (shown > m.protectedAcked) {
            world.checks.shown(m, log, book, shown);
        }
        while (m.protectedAcked < shown) {
            Entry entry = log.entries[m.protectedAcked++];
            if (client(entry) && !entry.ackedProtected) {
                world.checks.acknowledged(m, entry, true);
            }
        }
        if (m.state.mayAckUnprotected() && world.serves(m)) {
            for (int i = m.unprotectedAcked; i < log.commit; i++) {
                Entry entry = log.entries[i];
                if (client(entry) && !entry.acked() && entry.term == m.leadTerm) {
                    world.checks.truthful(m, log);
                    world.checks.acknowledged(m, entry, false);
                }
            }
            m.unprotectedAcked = Math.max(m.unprotectedAcked, log.commit);
        }
    }

    private static boolean client(Entry entry) {
        return entry.kind == Kind.WRITE
                || entry.kind == Kind.JOB
                || entry.kind == Kind.JOB_PROTECTED;
    }

    /** Each tick of a member: what a shell does by the clock. */
    void tick(SimMember m) {
        SimLog log = m.log;
        if (log == null) {
            return;
        }
        if (m.leads && m.ready) {
            SiteAckBook book = book(m);
            if (book != null) {
                watchPeer(m, log, book);
                if (book.waitsForEntry(log.length)) {
                    propose(m, Kind.TOUCH);
                }
                if (m.state.role() == SiteRole.ACTIVE && log.draining()) {
                    // Whoever had prepared that leads no more, or could not take it back.
                    propose(m, Kind.ABORT);
                }
                committed(m, log);
            }
            if (m.leads
                    && m.config.profile().isP3()
                    && m.state.role() == SiteRole.STANDBY
                    && m.config.profile().requires() == Profile.Requires.PROTECTED_BACKUPS) {
                world.step(m, new SiteEvent.DataStanding(backupsProtected(log, log.applied)));
            }
        } else {
            acknowledge(m);
        }
        if (m.log != log || !m.running()) {
            return;
        }
        drains(m, log);
        ReplicationState wanted = m.wantedReplication;
        if (wanted != null && m.state.role() == SiteRole.ACTIVE) {
            if (m.leads && m.ready && m.pendingReplication == null) {
                Entry entry = world.entry(Kind.REPLICATION, log.group, m.leadTerm);
                entry.replication = wanted;
                m.wantedReplication = null;
                m.pendingReplication = entry;
                world.raft.append(m, entry);
            } else if (!m.leads && m.leader >= 0) {
                // The node that leads commits it; here it is taken as done.
                m.wantedReplication = null;
                world.step(m, new SiteEvent.ReplicationCommitted(wanted));
            }
        }
        boolean waits =
                m.state.role() == SiteRole.PROMOTING
                        && m.state
                                .attempt()
                                .filter(a -> a.stage() == SiteState.Stage.COMMIT)
                                .isPresent();
        if (waits) {
            offer(m);
        }
        m.state
                .attempt()
                .filter(a ->
                        a.stage() == SiteState.Stage.PROMISES || a.stage() == SiteState.Stage.SEAL)
                .ifPresent(a ->
                        askPromises(
                                m, new SiteEffect.AskPromises(m.config.ownMembers(), a.epoch())));
    }

    private void watchPeer(SimMember m, SimLog log, SiteAckBook book) {
        int inTime = 0;
        for (SimMember o : world.members) {
            inTime +=
                    m.config.peerMembers().contains(o.id)
                                    && world.now - m.siteAckAt[o.index] < IN_TIME_MILLIS
                            ? 1
                            : 0;
        }
        if (inTime >= m.config.peerQuorum()) {
            world.step(m, new SiteEvent.PeerInTime());
        }
        long there = Math.min(log.commit, book.protectedIndex());
        if (m.catchUp >= 0 && there >= m.catchUp) {
            m.catchUp = -1;
            m.levelAt = world.now;
            world.step(m, new SiteEvent.CaughtUp());
        }
        boolean level = m.barrier >= 0 && there >= m.barrier && openJobs(log, log.applied) <= 0;
        if (level && m.state.role() == SiteRole.DRAINING) {
            m.barrier = -1;
            world.step(m, new SiteEvent.BarrierReached());
        }
    }

    /** What waits in DRAINING ends some time, and a handover is tried again until it is there. */
    private void drains(SimMember m, SimLog log) {
        Attempt attempt = m.state.attempt().orElse(null);
        if (attempt == null || m.state.role() != SiteRole.DRAINING) {
            return;
        }
        boolean late = world.now - m.drainSince > BARRIER_MILLIS;
        boolean waits =
                attempt.stage() == SiteState.Stage.JOBS
                        || attempt.stage() == SiteState.Stage.BARRIER;
        if (waits && late) {
            m.barrier = -1;
            world.step(m, new SiteEvent.BarrierTimeout());
        } else if (attempt.stage() == SiteState.Stage.HANDOVER
                && m.pendingEpoch == null
                && !m.state.group().stretched()) {
            handOver(
                    m,
                    log.group,
                    new SiteEffect.CommitEpochChange(
                            attempt.epoch(),
                            m.state.epoch(),
                            attempt.reason(),
                            attempt.coordinator()));
        }
    }

    private static @Nullable Entry newestEpoch(SimLog log, Epoch epoch) {
        for (int i = log.length - 1; i >= 0; i--) {
            if (epoch.equals(log.entries[i].epoch)) {
                return log.entries[i];
            }
        }
        return null;
    }

    /** SYNC, and every completed backup has its JOB_PROTECTED. */
    static boolean backupsProtected(SimLog log, int upTo) {
        ReplicationState state = ReplicationState.ASYNC;
        for (int i = 0; i < upTo; i++) {
            Entry entry = log.entries[i];
            if (entry.kind == Kind.REPLICATION && entry.replication != null) {
                state = entry.replication;
            }
        }
        return state == ReplicationState.SYNC && openJobs(log, upTo) <= 0;
    }

    /** Backups whose data is not at the other site. */
    static int openJobs(SimLog log, int upTo) {
        int open = 0;
        for (int i = 0; i < upTo; i++) {
            Kind kind = log.entries[i].kind;
            open += kind == Kind.JOB ? 1 : kind == Kind.JOB_PROTECTED ? -1 : 0;
        }
        return open;
    }
}
