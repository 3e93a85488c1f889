package io.holdfast.chaos.sim;

import io.holdfast.catalog.CatalogChange;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.catalog.Tombstone;
import io.holdfast.chaos.sim.SimSite.Entry;
import io.holdfast.chaos.sim.SimSite.Kind;
import io.holdfast.chunk.gc.GcEffect;
import io.holdfast.chunk.gc.GcEvent;
import io.holdfast.chunk.gc.GcRulesForTests;
import io.holdfast.chunk.gc.RetentionPlan;
import io.holdfast.modeswitch.Decision;
import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.modeswitch.SiteEffect;
import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.modeswitch.SiteMachine;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.modeswitch.SiteState;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * Two sites, each a server, a catalog and a store, which crash, part, are forced and come home, while backups
 * run, are shipped, protected, expire and are collected. One seed is one run. The deciders are the
 * product's: {@code SiteMachine} says who acts, {@code GcMachine}, {@code Fossils}, {@code Reach} and {@code
 * ClosureProof} run the stores, {@code OutboxApply} the catalogs, {@code RetentionPlan} the expiry. What is
 * written here is what a shell does between them, in the order of DR-PROTOCOL 4.1 and 4.2.
 *
 * <p>After every event ({@link #check}) and at every deletion ({@link #deletes}):
 *
 * <ul>
 *   <li>I9: what was shown DR_PROTECTED is whole at the other site, and at the site of the newest epoch:
 *       record, catalog row, manifest and chunks, until that lineage expires it
 *   <li>I10: a piece that has not expired has all its chunks; a row that is listed has its piece
 *   <li>I11: what is deleted is needed by no piece that the newest lineage or the site's own wants, nor one of a site
 *       that has not reconciled; by no session and no rehearsal; and was not needed for the grace
 *   <li>the order O3 before O4, G6, and at rest: nothing leaks, everything is protected
 * </ul>
 */
final class DataSimulation implements SimStore.Sweeping {
    /** A rule was broken. */
    static final class Violation extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Violation(String message) {
            super(message);
        }
    }

    /** What a run did, so that green is not vacuous. */
    static final class Counts {
        final Map<String, Long> counts = new java.util.TreeMap<>();

        void add(String what, long more) {
            counts.merge(what, more, Long::sum);
        }

        synchronized void addAll(Counts other) {
            other.counts.forEach(this::add);
        }

        long get(String what) {
            return counts.getOrDefault(what, 0L);
        }

        @Override
        public String toString() {
            return counts.toString();
        }
    }

    private enum Phase {
        ASK,
        SEND,
        PROVE,
        APPEND,
        ROW,
        END
    }

    private static final class Job {
        final int piece;
        final Epoch epoch;
        final SimSite at;
        UUID session;
        Phase phase = Phase.ASK;
        long missing;

        Job(int piece, Epoch epoch, SimSite at, UUID session) {
            this.piece = piece;
            this.epoch = epoch;
            this.at = at;
            this.session = session;
        }
    }

    private record Posted(SimSite to, SiteEvent event) {}

    /** How much of its trace a violation's message holds. */
    static final int TOLD_LINES = 60;

    private static final int TOLD_COLUMNS = 240;

    private static final long GRACE = SimStore.CONFIG.grace().toMillis();

    private final long seed;
    private final Mutation mutation;
    private final RandomGenerator random;
    private final int steps;
    private final boolean tracing;
    private final boolean asymmetric;
    private final int wild;
    private final double crashRate;
    private final List<String> trace = new ArrayList<>();
    private final Counts counts = new Counts();
    private final int[] pieceRoot = new int[Frames.PIECES];
    private final long[] pieceTime = new long[Frames.PIECES];
    private final UUID[] pieceIds = new UUID[Frames.PIECES];
    private final CatalogRow[] rows = new CatalogRow[Frames.PIECES];
    private final Map<UUID, Integer> pieceOf = new HashMap<>();
    private final SimSite local;
    private final SimSite dr;
    private final List<Job> jobs = new ArrayList<>();
    private final ArrayDeque<Posted> mail = new ArrayDeque<>();
    private final long[][] needed = new long[2][64];
    private final long[] wholeOf = new long[2];
    private final long[] whole = new long[2];
    private int pieces;
    private int everShown;
    private int everEnded;
    private long now = 1_000_000;
    private long sessions;
    private long rounds;
    private boolean linkUp = true;
    private Epoch newest = new Epoch(1, Site.LOCAL);
    private long lastSync = now;
    private boolean crossing;
    private boolean resting;

    private DataSimulation(long seed, Mutation mutation, int steps, boolean tracing) {
        this.seed = seed;
        this.mutation = mutation;
        this.steps = steps;
        this.tracing = tracing;
        this.random = new SplittableRandom(seed);
        this.asymmetric = random.nextInt(3) == 0;
        this.wild = random.nextInt(4);
        this.crashRate = 2 + random.nextDouble() * 8 * wild;
        var machine = GcRulesForTests.without(mutation.clauses);
        local =
                new SimSite(
                        Site.LOCAL, new SimStore(Site.LOCAL, mutation, machine, pieceRoot, this));
        dr = new SimSite(Site.DR, new SimStore(Site.DR, mutation, machine, pieceRoot, this));
    }

    /** Runs a seed. @throws Violation with the end of its trace, and the command that replays it */
    static Counts run(long seed, Mutation mutation, int steps) {
        DataSimulation simulation = new DataSimulation(seed, mutation, steps, false);
        try {
            simulation.run();
        } catch (RuntimeException broken) {
            throw new Violation(
                    "%s%s%n  seed %d; replay: ops/bench/simulate-data --seed %d%s"
                            .formatted(
                                    what(broken),
                                    end(trace(seed, mutation, steps)),
                                    seed,
                                    seed,
                                    mutation == Mutation.NONE ? "" : " --mutation " + mutation));
        }
        return simulation.counts;
    }

    private static String what(RuntimeException broken) {
        return broken instanceof Violation || broken instanceof IllegalStateException
                ? String.valueOf(broken.getMessage())
                : broken.toString();
    }

    /** The last lines of a trace, none of them endless. */
    private static String end(List<String> lines) {
        int left = Math.max(0, lines.size() - TOLD_LINES);
        StringBuilder out = new StringBuilder();
        if (left > 0) {
            out.append("\n  ... ").append(left).append(" lines before");
        }
        for (String line : lines.subList(left, lines.size())) {
            boolean fits = line.length() <= TOLD_COLUMNS;
            out.append("\n  ").append(fits ? line : line.substring(0, TOLD_COLUMNS) + "...");
        }
        return out.toString();
    }

    /** Runs a seed and returns what happened, line by line, the violation last. */
    static List<String> trace(long seed, Mutation mutation, int steps) {
        DataSimulation simulation = new DataSimulation(seed, mutation, steps, true);
        try {
            simulation.run();
            simulation.trace.add("no invariant was broken");
        } catch (RuntimeException broken) {
            simulation.trace.add("BROKEN: " + what(broken));
        }
        return simulation.trace;
    }

    private void run() {
        haveSome();
        boot(local);
        boot(dr);
        for (int i = 0; i < steps; i++) {
            pass(1 + random.nextInt(4000));
            happen();
            post();
            check();
        }
        comeToRest();
        for (SimSite site : List.of(local, dr)) {
            counts.add("frames deleted", site.store.deletedFrames);
            counts.add("fossils resurrected", site.store.resurrections);
        }
    }

    // ---- time and chance

    private void pass(long millis) {
        now += millis;
        for (SimSite site : List.of(local, dr)) {
            step(site, new SiteEvent.Tick(Math.min(millis, 5000)));
        }
        for (SimSite leader : List.of(local, dr)) {
            if (leader.leads() && following(leader)) {
                leader.heard = now;
                step(leader, new SiteEvent.PeerInTime());
            }
        }
    }

    private void happen() {
        SimSite site = random.nextBoolean() ? local : dr;
        int dice = random.nextInt(1000);
        boolean rare = random.nextInt(4) <= wild;
        if (dice < 4) {
            linkUp = !linkUp || !rare;
            trace("link " + (linkUp ? "up" : "down"));
        } else if (dice < 6) {
            if (rare) {
                force(site);
            }
        } else if (dice < 11) {
            step(
                    site,
                    new SiteEvent.OperatorSwitchover(
                            SimSite.name(site.site.peer()), true, java.util.Set.of()));
        } else if (dice < 11 + crashRate) {
            crash(site);
        } else if (dice < 60) {
            if (!site.up) {
                boot(site);
            }
        } else if (dice < 90) {
            long jump = GRACE / 2 + random.nextLong(GRACE);
            trace("time passes: " + jump / 1000 + " s");
            pass(jump);
        } else if (dice < 96) {
            site.clockMillis =
                    random.nextInt(5) > wild ? 0 : random.nextLong(4 * GRACE) - 2 * GRACE;
            peer(site).clockMillis = 0; // one of the two is right
            trace("clock of " + site.site + " off by " + site.clockMillis / 1000 + " s");
        } else if (dice < 101) {
            rehearse(site);
        } else if (dice < 105) {
            site.full = rare && random.nextInt(3) > 0;
            trace("disk of " + site.site + (site.full ? " is full" : " has room"));
        } else if (dice < 112) {
            collectorsDay(site);
        } else if (dice < 170) {
            gossip(site);
        } else if (dice < 250) {
            beginJob();
        } else if (dice < 480) {
            workJob();
        } else if (dice < 600) {
            ship(site);
        } else if (dice < 630) {
            site.store.sync();
        } else if (dice < 710) {
            replicate();
        } else if (dice < 750) {
            applyOutbox(site);
        } else if (dice < 795) {
            protect();
        } else if (dice < 835) {
            expire();
        } else if (dice < 875) {
            tombstone();
        } else if (dice < 925) {
            mark(site);
        } else if (dice < 955) {
            if (site.store.walking != 0) {
                trace("walk ends at " + site.store.site);
                endWalk(site.store);
            }
        } else {
            sweep(site);
        }
    }

    private SimSite peer(SimSite site) {
        return site == local ? dr : local;
    }

    /** The site that leads in the highest epoch; null when none does. */
    private @org.jspecify.annotations.Nullable SimSite leader() {
        if (local.leads() && dr.leads()) {
            return local.state.epoch().compareTo(dr.state.epoch()) > 0 ? local : dr;
        }
        return local.leads() ? local : dr.leads() ? dr : null;
    }

    /** A leader, perhaps one that does not know that it is none any more. */
    private @org.jspecify.annotations.Nullable SimSite someLeader() {
        SimSite one = random.nextBoolean() ? local : dr;
        return one.leads() ? one : peer(one).leads() ? peer(one) : null;
    }

    private boolean following(SimSite leader) {
        SimSite peer = peer(leader);
        return linkUp
                && peer.up
                && peer.state.role() == SiteRole.STANDBY
                && peer.lineage.equals(leader.lineage)
                && peer.state.promise().compareTo(leader.lineage) <= 0;
    }

    // ---- roles

    private void boot(SimSite site) {
        site.up = true;
        site.state = SiteState.booting(site.config);
        trace("boot " + site.site);
        step(
                site,
                new SiteEvent.Booted(
                        site.diskRole,
                        site.diskEpoch,
                        site.diskPromise,
                        site.diskPromisedTo,
                        ++rounds));
    }

    private void crash(SimSite site) {
        int what = random.nextInt(4);
        if (what != 1 && site.up) {
            trace("crash server " + site.site);
            site.up = false;
            site.acked = 0;
            site.services = false;
            site.asking = false;
            site.drain = false;
            site.awaitBarrier = false;
            site.handover = java.util.Optional.empty();
            site.reconciling = java.util.Optional.empty();
            site.catchUp = false;
            mail.removeIf(posted -> posted.to() == site);
            jobs.removeIf(job ->
                    job.at == site && job.phase.compareTo(Phase.ROW) >= 0 && random.nextBoolean());
            counts.add("server crashes", 1);
        }
        if (what != 0) {
            trace("crash store " + site.site);
            site.store.crash();
            counts.add("store crashes", 1);
        }
    }

    private void force(SimSite site) {
        List<SiteEvent.Sight> sights = new ArrayList<>();
        SimSite peer = peer(site);
        if (linkUp && peer.up && random.nextBoolean()) {
            sights.add(
                    new SiteEvent.Sight(
                            SimSite.name(peer.site), peer.state.role(), peer.state.epoch()));
        }
        trace("force " + site.site);
        step(site, new SiteEvent.OperatorFailover(true, sights));
    }

    private void gossip(SimSite to) {
        SimSite from = peer(to);
        if (linkUp && from.up && from.state.role() != SiteRole.BOOT) {
            if (to.asking) {
                step(from, new SiteEvent.ConfirmAsked(SimSite.name(to.site), to.state.round()));
            }
            report(from, to, 0);
            if (from.log.size() > 0 && from.log.getLast().kind() == Kind.CHANGE) {
                handedOver(from, to, from.log.getLast().epoch());
            }
        }
        settleRole(to);
        settleRole(from);
    }

    private void handedOver(SimSite from, SimSite to, Epoch epoch) {
        boolean planned = !from.log.getLast().forced() && epoch.compareTo(from.lineage) > 0;
        if (planned && to.log.size() == from.log.size()) {
            mail.add(new Posted(to, new SiteEvent.SwitchoverApplied(epoch, SimSite.name(to.site))));
        }
    }

    private void report(SimSite from, SimSite to, long round) {
        SiteState s = from.state;
        mail.add(
                new Posted(
                        to,
                        new SiteEvent.PeerReport(
                                SimSite.name(from.site), s.promise(), s.role(), s.epoch(), round)));
    }

    /** What a site waits for, if it has come. */
    private void settleRole(SimSite site) {
        if (!site.up) {
            return;
        }
        SimSite peer = peer(site);
        if (site.drain && jobs.stream().noneMatch(job -> job.at == site)) {
            site.drain = false;
            step(site, new SiteEvent.Drained());
        }
        if (site.awaitBarrier) {
            boolean level = following(site) && level(site);
            if (level || random.nextInt(8) == 0) {
                site.awaitBarrier = false;
                step(site, level ? new SiteEvent.BarrierReached() : new SiteEvent.BarrierTimeout());
            }
        }
        if (site.handover.isPresent() && following(site) && peer.log.size() == site.log.size()) {
            Epoch epoch = site.handover.get();
            site.handover = java.util.Optional.empty();
            Entry moved = new Entry(Kind.CHANGE, -1, site.site, epoch, now, 0, false, false);
            trace("hand over to " + epoch);
            site.append(moved);
            peer.append(moved);
            counts.add("planned moves", 1);
            step(site, new SiteEvent.EpochChangeCommitted(epoch));
            mail.add(
                    new Posted(
                            peer, new SiteEvent.SwitchoverApplied(epoch, SimSite.name(peer.site))));
        }
        boolean patient = resting || random.nextInt(wild == 3 ? 200 : 12) == 0;
        if (site.reconciling.isPresent()
                && patient
                && linkUp
                && peer.leads()
                && peer.state.epoch().equals(site.reconciling.get())) {
            reconcile(site, peer);
        }
        if (site.catchUp && following(site) && peer.log.size() >= site.barrierLog) {
            step(site, new SiteEvent.CaughtUp());
            site.catchUp = false;
        }
        if (site.leads() && site.forced && following(site) && peer.reconciled) {
            site.append(entry(site, Kind.RECONCILED, -1, 0, false));
        }
    }

    /** Everything of the active site is at the other one. */
    private boolean level(SimSite site) {
        SimSite peer = peer(site);
        long expired = pieceFrames(site.expiredEverywhere());
        long wanted = site.store.present() & pieceFrames(-1) & ~expired;
        return peer.log.size() == site.log.size()
                && peer.applied == site.outbox.size()
                && (wanted & ~peer.store.present()) == 0;
    }

    private void reconcile(SimSite site, SimSite active) {
        Epoch epoch = site.reconciling.orElseThrow();
        site.reconciling = java.util.Optional.empty();
        int same = 0;
        while (same < site.log.size()
                && same < active.log.size()
                && site.log.get(same) == active.log.get(same)) {
            same++;
        }
        int recovered = 0;
        for (Entry entry : site.log.subList(same, site.log.size())) {
            boolean finished =
                    entry.kind() == Kind.ENDED && (active.ended >> entry.piece() & 1) == 0;
            if (finished && site.store.holds(Frames.piece(entry.piece()))) {
                recovered |= 1 << entry.piece();
                Entry again =
                        new Entry(
                                Kind.ENDED,
                                entry.piece(),
                                entry.origin(),
                                epoch,
                                now,
                                0,
                                false,
                                false);
                active.append(again);
                counts.add("recovered pieces", 1);
            }
        }
        trace(
                "reconcile "
                        + site.site
                        + ": "
                        + (site.log.size() - same)
                        + " entries archived, recovered "
                        + Integer.toBinaryString(recovered));
        counts.add("reconciled", 1);
        site.reconciled = true;
        step(site, new SiteEvent.ReconcileDone(epoch));
    }

    private void step(SimSite site, SiteEvent event) {
        if (!site.up) {
            return;
        }
        SiteRole before = site.state.role();
        Decision decision = SiteMachine.step(site.state, event);
        site.state = decision.state();
        for (SiteEffect effect : decision.effects()) {
            perform(site, effect);
        }
        if (before != site.state.role()) {
            trace(site.site + " " + before + " -> " + site.state.role() + " " + site.state.epoch());
        }
    }

    private void post() {
        for (int i = 0; i < 50 && !mail.isEmpty(); i++) {
            Posted posted = mail.removeFirst();
            step(posted.to(), posted.event());
        }
    }

    private void self(SimSite site, SiteEvent event) {
        mail.add(new Posted(site, event));
    }

    private void perform(SimSite site, SiteEffect effect) {
        if (effect instanceof SiteEffect.PersistPromise e) {
            site.diskPromise = e.epoch();
            site.diskPromisedTo = e.candidate();
            self(site, new SiteEvent.PromiseDurable(SimSite.name(site.site), e.epoch()));
        } else if (effect instanceof SiteEffect.PersistRole e) {
            site.diskRole = e.role();
            site.diskEpoch = e.epoch();
            if (e.role() == SiteRole.FENCED) {
                site.reconciled = false;
            }
        } else if (effect instanceof SiteEffect.AskConfirmation) {
            site.asking = true;
        } else if (effect instanceof SiteEffect.SendReport e) {
            report(site, peer(site), e.round());
        } else if (effect instanceof SiteEffect.ReadTails e) {
            self(site, new SiteEvent.TailsRead(e.epoch(), e.members()));
        } else if (effect instanceof SiteEffect.OpenLineage e) {
            self(site, new SiteEvent.LineageOpen(e.epoch()));
        } else if (effect instanceof SiteEffect.CommitEpochChange e) {
            commitChange(site, e);
        } else if (effect instanceof SiteEffect.StartServices e) {
            site.services = true;
            site.heard = now;
            site.acked = 0;
            site.asking = false;
        } else if (effect instanceof SiteEffect.StopServices) {
            site.services = false;
            site.drain = false;
            site.awaitBarrier = false;
            jobs.removeIf(job -> job.at == site && random.nextBoolean());
        } else if (effect instanceof SiteEffect.Drain) {
            site.drain = true;
        } else if (effect instanceof SiteEffect.AbortDrain) {
            site.drain = false;
            site.handover = java.util.Optional.empty();
        } else if (effect instanceof SiteEffect.AwaitBarrier) {
            site.awaitBarrier = true;
        } else if (effect instanceof SiteEffect.BeginReconcile e) {
            site.reconciling = java.util.Optional.of(e.epoch());
        } else if (effect instanceof SiteEffect.JoinLineage e) {
            SimSite peer = peer(site);
            site.adopt(peer.log);
            site.lineage = e.epoch();
            site.acked = 0;
        } else if (effect instanceof SiteEffect.CommitReplication e) {
            boolean sync = e.state() == ReplicationState.SYNC;
            site.append(new Entry(Kind.SYNC, -1, site.site, site.lineage, now, 0, false, sync));
            if (sync) {
                lastSync = now;
                counts.add("in sync", 1);
            }
            self(site, new SiteEvent.ReplicationCommitted(e.state()));
        } else if (effect instanceof SiteEffect.CaptureBarrier) {
            site.catchUp = true;
            site.barrierLog = site.log.size();
        }
        // The others concern members and messages, which mode-switch's own simulation has.
    }

    private void commitChange(SimSite site, SiteEffect.CommitEpochChange e) {
        if (site.state.role() == SiteRole.DRAINING) {
            site.handover = java.util.Optional.of(e.epoch());
            return;
        }
        boolean forced = e.reason().equals("forced");
        site.lineage = e.epoch();
        site.append(new Entry(Kind.CHANGE, -1, site.site, e.epoch(), now, 0, forced, false));
        newest = e.epoch().compareTo(newest) > 0 ? e.epoch() : newest;
        counts.add(forced ? "forced promotions" : "planned promotions", 1);
        if (forced) {
            peer(site).reconciled = false;
        }
        site.reconciled = true;
        self(site, new SiteEvent.EpochChangeCommitted(e.epoch()));
    }

    private Entry entry(SimSite site, Kind kind, int piece, int sites, boolean sync) {
        return new Entry(kind, piece, site.site, site.lineage, now, sites, false, sync);
    }

    // ---- backups

    /** Three old pieces that both sites have. */
    private void haveSome() {
        for (int i = 0; i < 3; i++) {
            int piece = newPiece(now - 1_000_000 + i);
            for (SimSite site : List.of(local, dr)) {
                UUID session = openSession(site.store);
                for (int frame : Frames.list(Frames.closure(pieceRoot[piece]))) {
                    site.store.put(session, frame);
                }
                site.store.appendPiece(session, piece);
                site.store.close(session);
            }
            local.record(newest, new CatalogChange.Recorded(rows[piece]), piece);
            for (Kind kind : List.of(Kind.OPENED, Kind.ENDED, Kind.PROTECTED)) {
                Entry entry = entry(local, kind, piece, 0, false);
                local.append(entry);
                dr.append(entry);
            }
        }
        dr.applyFrom(local, 3, piece -> true, false, pieceOf);
    }

    private int newPiece(long time) {
        int piece = pieces++;
        pieceRoot[piece] = Frames.FIRST_ROOT + random.nextInt(Frames.DATA * Frames.DATA);
        pieceTime[piece] = time;
        pieceIds[piece] = new UUID(seed, piece);
        pieceOf.put(pieceIds[piece], piece);
        rows[piece] =
                new CatalogRow(
                        new CatalogRecord(
                                pieceIds[piece],
                                new UUID(0, 1),
                                "crit",
                                "/home",
                                "files/full",
                                "owner",
                                "disk",
                                time,
                                Long.MAX_VALUE,
                                1,
                                "main",
                                Map.of()),
                        Frames.id(Frames.piece(piece)));
        return piece;
    }

    private void beginJob() {
        SimSite leader = someLeader();
        if (leader == null
                || leader.state.role() != SiteRole.ACTIVE
                || pieces == Frames.PIECES
                || jobs.size() > 3) {
            return;
        }
        int piece = newPiece(now + leader.clockMillis);
        leader.append(entry(leader, Kind.OPENED, piece, 0, false));
        UUID session = openSession(leader.store);
        jobs.add(new Job(piece, leader.state.epoch(), leader, session));
        trace("job " + piece + " begins at " + leader.site + ", root " + pieceRoot[piece]);
    }

    private UUID openSession(SimStore store) {
        UUID session = new UUID(7, ++sessions);
        store.open(session);
        return session;
    }

    private void workJob() {
        if (jobs.isEmpty()) {
            return;
        }
        Job job = jobs.get(random.nextInt(jobs.size()));
        SimStore store = job.at.store;
        if (!store.isOpen(job.session) && job.phase.compareTo(Phase.ROW) < 0) {
            // The storage restarted. An agent that does not notice goes on where it was.
            job.session = openSession(store);
            if (random.nextBoolean() && job.phase != Phase.APPEND) {
                job.phase = Phase.ASK;
            } else if (job.phase == Phase.APPEND) {
                job.phase = Phase.PROVE;
            }
        }
        switch (job.phase) {
            case ASK -> {
                job.missing = 0;
                for (int frame : Frames.list(Frames.closure(pieceRoot[job.piece]))) {
                    if (!store.have(job.session, frame)) {
                        job.missing |= 1L << frame;
                    }
                    touched(job.at, 1L << frame);
                }
                job.phase = Phase.SEND;
                if (mutation == Mutation.O2_ROW_BEFORE_PIECE) {
                    record(job);
                }
            }
            case SEND -> {
                int next = Long.numberOfTrailingZeros(job.missing);
                if (job.missing != 0) {
                    store.put(job.session, next);
                    touched(job.at, 1L << next);
                    job.missing &= job.missing - 1;
                } else {
                    job.phase = Phase.PROVE;
                }
            }
            case PROVE -> {
                if (!store.obey(job.epoch)) {
                    trace("job " + job.piece + " is fenced");
                    end(job);
                } else if (mutation == Mutation.O1_COMMIT_WITHOUT_PROOF
                        || store.prove(job.session, job.piece)) {
                    job.phase = Phase.APPEND;
                } else {
                    job.phase = Phase.ASK;
                }
            }
            case APPEND -> {
                if (!resting && random.nextInt(4) > 0) {
                    return;
                }
                store.appendPiece(job.session, job.piece);
                touched(job.at, Frames.closure(pieceRoot[job.piece]));
                trace("job " + job.piece + ": piece durable at " + store.site);
                job.phase = Phase.ROW;
            }
            case ROW -> {
                if (job.at.leads() && job.at.state.epoch().equals(job.epoch)) {
                    if (mutation == Mutation.O3_ENDED_BEFORE_ROW) {
                        ended(job);
                    }
                    record(job);
                    job.phase = Phase.END;
                } else if (!job.at.up || random.nextInt(4) == 0) {
                    end(job);
                }
            }
            case END -> {
                if (job.at.leads() && job.at.state.epoch().equals(job.epoch)) {
                    ended(job);
                }
                end(job);
            }
        }
    }

    private void record(Job job) {
        if ((job.at.rows >> job.piece & 1) == 0) {
            job.at.record(job.epoch, new CatalogChange.Recorded(rows[job.piece]), job.piece);
        }
    }

    private void ended(Job job) {
        if ((job.at.ended >> job.piece & 1) == 0) {
            if ((job.at.rows >> job.piece & 1) == 0) {
                throw new Violation(
                        "O3: job "
                                + job.piece
                                + " ended in Raft before its row was in the catalog of "
                                + job.at.site);
            }
            job.at.append(entry(job.at, Kind.ENDED, job.piece, 0, false));
            everEnded |= 1 << job.piece;
            counts.add("backups", 1);
            trace("job " + job.piece + " ended in " + job.epoch);
        }
    }

    private void end(Job job) {
        job.at.store.close(job.session);
        jobs.remove(job);
    }

    /** These frames are needed now. */
    private void touched(SimSite site, long frames) {
        for (long left = frames; left != 0; left &= left - 1) {
            needed[SimSite.bit(site.site)][Long.numberOfTrailingZeros(left)] = now;
        }
    }

    // ---- replication

    private void ship(SimSite from) {
        SimSite to = peer(from);
        if (!linkUp || !from.up || to.full) {
            return;
        }
        if (!to.store.isOpen(from.shipSession)) {
            from.shipSession = openSession(to.store);
        } else if (random.nextInt(5) == 0) {
            to.store.close(from.shipSession);
            return;
        }
        if (random.nextInt(60) == 0) {
            from.cursor = 0;
        }
        for (int i = random.nextInt(8); i >= 0 && from.cursor < from.store.durableEnd(); i--) {
            int frame = from.store.at(from.cursor);
            if (frame < 0) {
                from.cursor++;
            } else if (frame < Frames.FIRST_PIECE) {
                if (!to.store.have(from.shipSession, frame)) {
                    to.store.put(from.shipSession, frame);
                }
                touched(to, 1L << frame);
                from.cursor++;
            } else if (!shipPiece(from, to, frame)) {
                return;
            } else {
                from.cursor++;
            }
        }
    }

    private boolean shipPiece(SimSite from, SimSite to, int frame) {
        int piece = frame - Frames.FIRST_PIECE;
        if (to.store.have(from.shipSession, frame)) {
            touched(to, 1L << frame);
            return true;
        }
        if ((from.tombstones >> piece & 1) != 0) {
            return true;
        }
        boolean proved = to.store.prove(from.shipSession, piece);
        if (!proved && mutation != Mutation.O1_COMMIT_WITHOUT_PROOF) {
            from.cursor = 0;
            return false;
        }
        to.store.appendPiece(from.shipSession, piece);
        touched(to, Frames.closure(pieceRoot[piece]));
        trace("piece " + piece + " shipped to " + to.site);
        return true;
    }

    /** Whether a piece has expired here, and no forced move can take that back. */
    private static boolean expiredForGood(SimSite site, int piece) {
        boolean expired = (site.expiredEverywhere() >> piece & 1) != 0;
        return expired
                && (site.leads()
                        ? site.expiredAt[piece] < site.acked
                        : site.up && site.state.role() == SiteRole.STANDBY);
    }

    private void replicate() {
        SimSite leader = leader();
        if (leader == null) {
            leader =
                    local.up && local.handover.isPresent()
                            ? local
                            : dr.handover.isPresent() ? dr : null;
        }
        if (leader == null || !following(leader)) {
            return;
        }
        SimSite peer = peer(leader);
        for (int i = random.nextInt(5); i >= 0 && peer.log.size() < leader.log.size(); i--) {
            peer.append(leader.log.get(peer.log.size()));
        }
        if (random.nextInt(3) > 0) {
            leader.acked = Math.max(leader.acked, peer.log.size());
        }
        settleRole(leader);
    }

    private void applyOutbox(SimSite to) {
        SimSite from = peer(to);
        if (linkUp) {
            to.applyFrom(
                    from,
                    1 + random.nextInt(3),
                    piece ->
                            mutation == Mutation.O4_ROWS_NOT_PARKED
                                    || to.store.holds(Frames.piece(piece))
                                    || expiredForGood(to, piece),
                    mutation == Mutation.O4_OUTBOX_SKIPS_PARKED,
                    pieceOf);
        }
    }

    private void protect() {
        SimSite leader = someLeader();
        if (leader == null || !following(leader)) {
            return;
        }
        SimSite peer = peer(leader);
        int candidates =
                leader.ended & ~leader.shownCandidates & ~leader.expired[0] & ~leader.expired[1];
        for (int piece = 0; piece < pieces; piece++) {
            if ((candidates >> piece & 1) == 0) {
                continue;
            }
            boolean frames =
                    mutation == Mutation.O4_PROTECTED_TOO_EARLY
                            || (peer.store.holds(Frames.piece(piece))
                                    && leader.store.holds(Frames.piece(piece)));
            // A cursor says what was applied: the row itself is never asked for (Protector).
            boolean row =
                    mutation == Mutation.O4_PROTECTED_WITHOUT_ROW
                            || mutation == Mutation.O4_PROTECTED_TOO_EARLY
                            || (applied(peer, leader, piece) && applied(leader, peer, piece));
            if (frames && row) {
                leader.append(entry(leader, Kind.PROTECTED, piece, 0, false));
                trace("piece " + piece + " Protected in the log of " + leader.site);
                return;
            }
        }
    }

    /** Whether {@code at} has the row, or has applied the entry of {@code origin} that carries it. */
    private boolean applied(SimSite at, SimSite origin, int piece) {
        if ((at.rows >> piece & 1) != 0) {
            return true;
        }
        for (int i = 0; i < at.applied; i++) {
            if (origin.outbox.get(i).change().piece().equals(pieceIds[piece])) {
                return true;
            }
        }
        return false;
    }

    /** Pieces that this leader shows DR_PROTECTED. */
    private int shown(SimSite leader) {
        int shown = 0;
        for (int left = leader.shownCandidates; left != 0; left &= left - 1) {
            int piece = Integer.numberOfTrailingZeros(left);
            if (leader.protectedAt[piece] < leader.acked
                    || mutation == Mutation.O4_SHOWN_BEFORE_ACK) {
                shown |= 1 << piece;
            }
        }
        return shown;
    }

    // ---- expiry

    private long skew() {
        return linkUp && local.up && dr.up
                ? Math.abs(local.clockMillis - dr.clockMillis)
                : Long.MAX_VALUE / 4;
    }

    private void expire() {
        SimSite leader = someLeader();
        if (leader == null) {
            return;
        }
        if (random.nextInt(6) == 0 && leader.ended != 0) {
            int piece = random.nextInt(pieces);
            if (((leader.ended & ~leader.expired[0] & ~leader.expired[1]) >> piece & 1) != 0) {
                leader.append(entry(leader, Kind.HELD, piece, 0, false));
                trace("hold on " + piece + " in the log of " + leader.site);
                counts.add("holds", 1);
            }
            return;
        }
        List<RetentionPlan.Piece> all = new ArrayList<>();
        for (int piece = 0; piece < pieces; piece++) {
            if ((leader.ended >> piece & 1) != 0) {
                boolean held =
                        (leader.held >> piece & 1) != 0 && mutation != Mutation.G6_HOLD_IGNORED;
                Retention retention =
                        new Retention(
                                java.util.Optional.of(Duration.ofSeconds(300)), 1, 0, 0, 0, 0);
                all.add(
                        new RetentionPlan.Piece(
                                pieceIds[piece],
                                "crit",
                                pieceTime[piece] * 1000,
                                retention,
                                held,
                                true,
                                (leader.expiredEverywhere() >> piece & 1) != 0));
            }
        }
        boolean trusted = skew() < SimStore.CONFIG.maxSkew().toMillis();
        RetentionPlan plan = RetentionPlan.of(all, (now + leader.clockMillis) * 1000, trusted);
        for (RetentionPlan.Verdict verdict : plan.expiring()) {
            int piece = java.util.Objects.requireNonNull(pieceOf.get(verdict.piece().id()));
            if (random.nextInt(3) != 0) {
                expire(leader, piece);
                return;
            }
        }
    }

    private void expire(SimSite leader, int piece) {
        int sites = 3;
        if (asymmetric && (leader.expired[0] >> piece & 1) == 0 && random.nextBoolean()) {
            // Local drops it first, where DR has it (G5, G6).
            boolean shown = (shown(leader) >> piece & 1) != 0;
            if (!shown && mutation != Mutation.G6_LAST_COPY_EXPIRES) {
                return;
            }
            sites = mutation == Mutation.G5_DR_EXPIRES_FIRST ? 2 : 1;
        }
        if ((leader.held >> piece & 1) != 0) {
            throw new Violation("G6: piece " + piece + " expires although it is held");
        }
        leader.append(entry(leader, Kind.EXPIRED, piece, sites, false));
        counts.add(sites == 3 ? "expiries" : "expiries of one copy", 1);
        trace("expire " + piece + " at sites " + sites + " in the log of " + leader.site);
    }

    /** Tells the catalog what has expired, once the expiry cannot be lost. */
    private void tombstone() {
        SimSite leader = someLeader();
        if (leader == null) {
            return;
        }
        for (int left = leader.expiredEverywhere() & ~leader.tombstones;
                left != 0;
                left &= left - 1) {
            int piece = Integer.numberOfTrailingZeros(left);
            if (leader.expiredAt[piece] < leader.acked
                    || mutation == Mutation.G1_EXPIRY_ACTS_UNPROTECTED) {
                leader.record(
                        leader.lineage,
                        new CatalogChange.Forgotten(
                                new Tombstone(pieceIds[piece], "expired", leader.lineage)),
                        piece);
                trace("tombstone " + piece + " in the catalog of " + leader.site);
                return;
            }
        }
    }

    /** PIECE frames that a mark at this site takes as roots. */
    private long roots(SimSite leader, SimSite site) {
        if (mutation == Mutation.G8_CATALOG_IS_THE_ROOT) {
            return pieceFrames(leader.listed() & ~leader.expiredAt(site.site));
        }
        int gone = 0;
        for (int left = leader.expiredAt(site.site); left != 0; left &= left - 1) {
            int piece = Integer.numberOfTrailingZeros(left);
            boolean lasting =
                    leader.expiredAt[piece] < leader.acked
                            || mutation == Mutation.G1_EXPIRY_ACTS_UNPROTECTED;
            boolean everywhere = (leader.expiredEverywhere() >> piece & 1) != 0;
            boolean forgotten =
                    (site.tombstones >> piece & 1) != 0
                            || !everywhere
                            || mutation == Mutation.O4_SWEPT_BEFORE_TOMBSTONE;
            if (lasting && forgotten) {
                gone |= 1 << piece;
            }
        }
        return pieceFrames(~gone);
    }

    private static long pieceFrames(int set) {
        return ((long) set & 0xffffL) << Frames.FIRST_PIECE;
    }

    private GcEvent.Order order(SimSite leader, SimSite site) {
        return new GcEvent.Order(
                leader.state.epoch(),
                (now + leader.clockMillis) * 1000,
                (now + site.clockMillis) * 1000,
                skew());
    }

    private void mark(SimSite site) {
        SimSite leader = someLeader();
        if (leader == null || (leader != site && !linkUp)) {
            return;
        }
        List<GcEffect> effects =
                site.store.order(new GcEvent.MarkOrdered(order(leader, site)), roots(leader, site));
        counts.add(effects.getLast() instanceof GcEffect.Walk ? "marks" : "marks refused", 1);
        trace(
                leader.site
                        + " "
                        + leader.state.epoch()
                        + " orders a mark at "
                        + site.site
                        + ": "
                        + effects.getLast());
        if (random.nextInt(4) > 0 && site.store.walking != 0) {
            endWalk(site.store);
        }
    }

    private void endWalk(SimStore store) {
        SimSite site = store.site == Site.LOCAL ? local : dr;
        store.endWalk((now + site.clockMillis) * 1000);
        if (store.fossilsTold() != 0) {
            throw new Violation(
                    "G2: "
                            + Frames.list(store.fossilsTold())
                            + " are fossils at "
                            + store.site
                            + ", and a session was told that they are held");
        }
    }

    private void sweep(SimSite site) {
        SimSite leader = someLeader();
        boolean unconfirmed =
                mutation == Mutation.G4_SWEEP_UNSETTLED
                        && site.up
                        && site.state.role() == SiteRole.AWAIT_CONFIRM;
        if (leader == null && unconfirmed) {
            leader = site;
        }
        if (leader == null || (leader != site && !linkUp)) {
            return;
        }
        boolean settled =
                site.up
                        && (site.state.role() == SiteRole.ACTIVE
                                || site.state.role() == SiteRole.STANDBY)
                        && site.state.epoch().equals(leader.state.epoch());
        GcEvent.Standing standing =
                new GcEvent.Standing(
                        settled,
                        site.state.role().name(),
                        outOfSyncMillis(leader),
                        leader.forced,
                        site.rehearsal == 0 ? java.util.Set.of() : java.util.Set.of("rehearsal"));
        List<GcEffect> effects =
                site.store.order(new GcEvent.SweepOrdered(order(leader, site), standing), 0);
        trace(
                leader.site
                        + " "
                        + leader.state.epoch()
                        + " orders a sweep at "
                        + site.site
                        + ": "
                        + effects.getLast());
        counts.add(
                switch (effects.getLast()) {
                    case GcEffect.Delete e -> "sweeps";
                    case GcEffect.Refuse e -> "sweeps frozen or refused";
                    default -> "sweeps too early";
                },
                1);
    }

    /** What it takes to delete something, with chance in between. */
    private void collectorsDay(SimSite site) {
        if (random.nextBoolean()) {
            site.store.close(peer(site).shipSession);
            expire();
            replicate();
        }
        for (int round = 0; round < 2; round++) {
            mark(site);
            if (site.store.walking != 0) {
                endWalk(site.store);
            }
            few();
            if (round == 0 && random.nextInt(12) < wild) {
                SimSite jumping = random.nextBoolean() ? local : dr;
                peer(jumping).clockMillis = 0;
                jumping.clockMillis += 2 * GRACE;
                trace("clock of " + jumping.site + " jumps");
            } else if (round == 0) {
                pass(random.nextInt(8) == 0 ? GRACE / 8 : GRACE + 5000);
                few();
            }
        }
        sweep(site);
    }

    private void few() {
        for (int i = random.nextInt(4); i > 0; i--) {
            happen();
            post();
            check();
        }
    }

    /** What the log says, or silence that the log does not know of yet: draining does not degrade. */
    private long outOfSyncMillis(SimSite leader) {
        long recorded = leader.outOfSyncSince < 0 ? 0 : now - leader.outOfSyncSince;
        return Math.max(recorded, now - leader.heard);
    }

    private void rehearse(SimSite site) {
        if (site.rehearsal != 0 || random.nextInt(3) > 0) {
            site.rehearsal = 0;
            trace("rehearsal at " + site.site + " ends");
        } else {
            site.rehearsal = whole(site.store) & pieceFrames(~site.expiredAt(site.site));
            trace("rehearsal at " + site.site);
            counts.add("rehearsals", 1);
        }
    }

    // ---- invariants

    private static final long PIECE_FRAMES = pieceFrames(-1);

    private long closureOf(int piece) {
        return Frames.closure(pieceRoot[piece]) | 1L << Frames.piece(piece);
    }

    /** PIECE frames at this store whose whole manifest is there. */
    private long whole(SimStore store) {
        int which = SimSite.bit(store.site);
        if (wholeOf[which] != store.present()) {
            wholeOf[which] = store.present();
            whole[which] = findWhole(store.present());
        }
        return whole[which];
    }

    private long findWhole(long present) {
        long whole = 0;
        for (long left = present & PIECE_FRAMES; left != 0; left &= left - 1) {
            int frame = Long.numberOfTrailingZeros(left);
            if ((closureOf(frame - Frames.FIRST_PIECE) & ~present) == 0) {
                whole |= 1L << frame;
            }
        }
        return whole;
    }

    /** The log of the newest epoch that was ever active, where it was opened. */
    private SimSite newestSite() {
        return newest.site() == Site.LOCAL ? local : dr;
    }

    private void check() {
        SimSite survivor = newestSite();
        boolean known = survivor.lineage.equals(newest);
        for (SimSite site : List.of(local, dr)) {
            checkWhole(site, survivor, known);
            if (site.leads() && site.lineage.equals(newest)) {
                int shown = shown(site) & ~site.expiredEverywhere();
                everShown |= shown;
                checkShown(site, shown);
            }
        }
        if (known) {
            int lasting = everShown & ~survivor.expiredEverywhere();
            requireAt(survivor, lasting, "the newest epoch " + newest, survivor.ended, survivor);
            long anywhere = whole(local.store) | whole(dr.store);
            long lost = pieceFrames(everEnded & ~survivor.expiredEverywhere()) & ~anywhere;
            if (lost != 0) {
                throw new Violation(
                        "G6: no copy is left of pieces "
                                + Frames.list(lost >>> Frames.FIRST_PIECE));
            }
        }
        inSync();
    }

    private void checkShown(SimSite leader, int shown) {
        SimSite peer = peer(leader);
        requireAt(peer, shown, "the other site, while shown DR_PROTECTED", -1, leader);
        if (peer.lineage.equals(leader.lineage) && (shown & ~peer.shownCandidates) != 0) {
            throw new Violation(
                    "I9: "
                            + Integer.toBinaryString(shown & ~peer.shownCandidates)
                            + " shown DR_PROTECTED, but the log of "
                            + peer.site
                            + " does not say Protected");
        }
    }

    /** DR keeps what it has shown until it expires everywhere; local may drop its copy first (G5). */
    private void requireAt(SimSite site, int wanted, String where, int ended, SimSite by) {
        long whole = whole(site.store) >>> Frames.FIRST_PIECE;
        int dropped = site.site == Site.LOCAL ? by.oneCopy : 0;
        int noChunks = wanted & ~(int) whole & ~dropped;
        int noRow = wanted & ~site.listed();
        int noRecord = wanted & ~ended;
        if ((noChunks | noRow | noRecord) != 0) {
            throw new Violation(
                    "I9: at "
                            + site.site
                            + ", "
                            + where
                            + ": without chunks "
                            + Integer.toBinaryString(noChunks)
                            + ", without row "
                            + Integer.toBinaryString(noRow)
                            + ", without record "
                            + Integer.toBinaryString(noRecord));
        }
    }

    private void checkWhole(SimSite site, SimSite survivor, boolean known) {
        long whole = whole(site.store);
        long gone =
                pieceFrames(
                        site.expiredAt(site.site) | (known ? survivor.expiredAt(site.site) : 0));
        long dangling = site.store.present() & PIECE_FRAMES & ~whole & ~gone;
        if (dangling != 0) {
            throw new Violation(
                    "I10: pieces "
                            + Frames.list(dangling >>> Frames.FIRST_PIECE)
                            + " at "
                            + site.site
                            + " miss chunks");
        }
        int dropped = site.site == Site.LOCAL ? site.oneCopy | survivor.oneCopy : 0;
        long rowless = pieceFrames(site.listed() & ~dropped) & ~whole;
        if (rowless != 0) {
            // A row that passed the gate because its piece had expired waits for its tombstone.
            rowless &= ~pieceFrames(pending(site));
        }
        if (rowless != 0) {
            throw new Violation(
                    "I10: rows "
                            + Frames.list(rowless >>> Frames.FIRST_PIECE)
                            + " listed at "
                            + site.site
                            + " without a whole piece");
        }
    }

    /** Pieces whose row passed the gate because they had expired; their tombstone is on its way. */
    private int pending(SimSite site) {
        int own = 0;
        for (var entry : site.outbox) {
            own |= 1 << java.util.Objects.requireNonNull(pieceOf.get(entry.change().piece()));
        }
        return ~own & site.expiredEverywhere();
    }

    private void inSync() {
        SimSite leader = leader();
        if (leader == null || leader.isSync() || leader.outOfSyncSince < 0) {
            lastSync = now;
        }
    }

    @Override
    public void deletes(SimStore store, long frames, Epoch order) {
        if (frames == 0) {
            return;
        }
        SimSite site = store.site == Site.LOCAL ? local : dr;
        SimSite peer = peer(site);
        SimSite survivor = newestSite();
        trace("delete " + Frames.list(frames) + " at " + store.site + " by " + order);
        counts.add("deletions", 1);
        for (long left = store.present() & PIECE_FRAMES; left != 0; left &= left - 1) {
            int piece = Long.numberOfTrailingZeros(left) - Frames.FIRST_PIECE;
            if ((closureOf(piece) & frames) != 0) {
                int here = SimSite.bit(store.site);
                boolean kept =
                        (survivor.expired[here] >> piece & 1) == 0
                                && survivor.lineage.equals(newest);
                boolean keptHere = (site.expired[here] >> piece & 1) == 0;
                if (kept || keptHere) {
                    throw new Violation(
                            "I11: "
                                    + store.site
                                    + " deletes frames of piece "
                                    + piece
                                    + ", which "
                                    + (kept ? "the newest lineage " + newest : "its own log")
                                    + " has not expired");
                }
            }
        }
        if (!peer.reconciled && !peer.lineage.equals(newest)) {
            for (long left = peer.store.present() & PIECE_FRAMES; left != 0; left &= left - 1) {
                int piece = Long.numberOfTrailingZeros(left) - Frames.FIRST_PIECE;
                if ((closureOf(piece) & frames) != 0
                        && (peer.expired[SimSite.bit(peer.site)] >> piece & 1) == 0) {
                    throw new Violation(
                            "I11: "
                                    + store.site
                                    + " deletes frames of piece "
                                    + piece
                                    + ", which "
                                    + peer.site
                                    + " keeps and which has not reconciled");
                }
            }
        }
        long pinned = 0;
        for (long told : store.told.values()) {
            pinned |= told;
        }
        if ((pinned & frames) != 0) {
            throw new Violation(
                    "I11: "
                            + store.site
                            + " deletes "
                            + Frames.list(pinned & frames)
                            + ", which a session was told are held");
        }
        for (long left = site.rehearsal; left != 0; left &= left - 1) {
            if ((closureOf(Long.numberOfTrailingZeros(left) - Frames.FIRST_PIECE) & frames) != 0) {
                throw new Violation("I11: " + store.site + " deletes frames of a rehearsal");
            }
        }
        for (int frame : Frames.list(frames)) {
            long unneeded = now - needed[SimSite.bit(store.site)][frame];
            if (unneeded < GRACE - 2 * SimStore.CONFIG.maxSkew().toMillis()) {
                throw new Violation(
                        "I11: "
                                + store.site
                                + " deletes "
                                + frame
                                + " only "
                                + unneeded / 1000
                                + " s after it was needed");
            }
        }
        boolean settled =
                site.up
                        && (site.state.role() == SiteRole.ACTIVE
                                || site.state.role() == SiteRole.STANDBY)
                        && site.state.epoch().equals(order);
        if (survivor.forced && !peer.reconciled && site == survivor) {
            throw new Violation(
                    "G4: " + store.site + " deletes although " + peer.site + " has not reconciled");
        }
        if (!settled && !crossing) {
            throw new Violation(
                    "G4: "
                            + store.site
                            + " deletes although it is "
                            + site.state.role()
                            + " in "
                            + site.state.epoch());
        }
        // One passing of time may hide the loss of SYNC for up to one and a half grace.
        if (now - lastSync > 3 * GRACE) {
            throw new Violation(
                    "G4: "
                            + store.site
                            + " deletes although the sites were last in sync "
                            + (now - lastSync) / 1000
                            + " s ago");
        }
        if (mutation == Mutation.G1_DELETION_CROSSES_SITES && linkUp && !crossing) {
            crossing = true;
            peer.store.deleteHereToo(frames, order);
            crossing = false;
        }
    }

    // ---- the end

    /** Everything heals: all that ended is protected, and nothing that nobody needs stays. */
    private void comeToRest() {
        linkUp = true;
        resting = true;
        local.full = false;
        dr.full = false;
        local.rehearsal = 0;
        dr.rehearsal = 0;
        local.clockMillis = 0;
        dr.clockMillis = 0;
        for (int round = 0; round < 400; round++) {
            for (SimSite site : List.of(local, dr)) {
                if (!site.up) {
                    boot(site);
                }
                gossip(site);
                post();
                site.store.sync();
                ship(site);
                applyOutbox(site);
            }
            pass(3000);
            post();
            replicate();
            protect();
            tombstone();
            workJob();
            check();
            SimSite leader = leader();
            if (leader == null && round % 40 == 39) {
                force(random.nextBoolean() ? local : dr);
                post();
            }
            if (leader != null
                    && leader.isSync()
                    && jobs.isEmpty()
                    && following(leader)
                    && rested(leader)) {
                collect(leader);
                return;
            }
        }
        throw new Violation(
                "L1: not at rest: local "
                        + local.state.describe()
                        + ", dr "
                        + dr.state.describe()
                        + ", jobs "
                        + jobs.size()
                        + ", logs "
                        + local.log.size()
                        + "/"
                        + dr.log.size()
                        + ", outboxes "
                        + local.applied
                        + "/"
                        + dr.outbox.size()
                        + " "
                        + dr.applied
                        + "/"
                        + local.outbox.size()
                        + ", not shown "
                        + Integer.toBinaryString(unprotected(local))
                        + " "
                        + Integer.toBinaryString(unprotected(dr)));
    }

    private int unprotected(SimSite leader) {
        return leader.ended & ~leader.expired[0] & ~leader.expired[1] & ~shown(leader);
    }

    private boolean rested(SimSite leader) {
        SimSite peer = peer(leader);
        return unprotected(leader) == 0
                && peer.log.size() == leader.log.size()
                && (leader.expiredEverywhere() & ~leader.tombstones) == 0
                && peer.applied == leader.outbox.size()
                && leader.applied == peer.outbox.size();
    }

    private void collect(SimSite leader) {
        for (SimSite site : List.of(local, dr)) {
            for (UUID session : List.copyOf(site.store.told.keySet())) {
                site.store.close(session);
            }
        }
        for (int round = 0; round < 6; round++) {
            now += GRACE + 1;
            inSync();
            leader.acked = leader.log.size();
            for (SimSite site : List.of(local, dr)) {
                site.store.sync();
                if (site.store.walking != 0) {
                    endWalk(site.store);
                }
                sweepAtRest(leader, site);
                site.store.order(new GcEvent.MarkOrdered(order(leader, site)), roots(leader, site));
                if (site.store.walking != 0) {
                    endWalk(site.store);
                }
                sweepAtRest(leader, site);
                check();
            }
        }
        for (SimSite site : List.of(local, dr)) {
            long wanted = 0;
            long roots = roots(leader, site) & site.store.present();
            for (long left = roots; left != 0; left &= left - 1) {
                wanted |= closureOf(Long.numberOfTrailingZeros(left) - Frames.FIRST_PIECE);
            }
            long leaked = site.store.present() & ~wanted;
            if (leaked != 0) {
                throw new Violation(
                        "leak: "
                                + Frames.list(leaked)
                                + " stay at "
                                + site.site
                                + " although nobody needs them: "
                                + site.store.state());
            }
        }
        counts.add("came to rest", 1);
    }

    private void sweepAtRest(SimSite leader, SimSite site) {
        site.store.order(
                new GcEvent.SweepOrdered(
                        order(leader, site), GcEvent.Standing.calm(site.state.role().name())),
                0);
    }

    private void trace(String line) {
        if (tracing) {
            trace.add(now / 1000 + " s " + line);
        }
    }
}
