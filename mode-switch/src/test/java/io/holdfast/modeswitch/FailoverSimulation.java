package io.holdfast.modeswitch;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/**
 * Two sites of one or three members on links that lose, repeat, delay and reorder; members crash between
 * any two effects and lose what was not persisted; an operator forces at random, also while the peer is
 * alive, and moves the cluster by plan. Everything follows from the seed. After every event the
 * invariants of DR-PROTOCOL 3.10 that concern roles and epochs are checked:
 *
 * <ul>
 *   <li>I1: an epoch has one owning site, and one member that opened its lineage
 *   <li>I4: a second site becomes active only by a recorded force
 *   <li>I6: nobody is confirmed in an epoch when a higher one was active before it booted, or before
 *       the answers that counted were sent
 *   <li>I13: a promise never decreases, and what was granted is durable
 *   <li>I14: epochs in a chain of lineages strictly increase
 *   <li>seal: an epoch becomes active only when a quorum of its site has durably promised it
 *   <li>handover: an EpochChange of a planned move is committed only when no own member can be
 *       confirmed in the old epoch
 * </ul>
 */
final class FailoverSimulation {
    /** A rule was broken. */
    static final class Violation extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Violation(String message) {
            super(message);
        }
    }

    /** What a run did, so that green is not vacuous. */
    static final class Counts {
        int activations;
        int confirmations;
        int switchovers;
        int fencings;
        int reconciled;
        int crashes;
        int forcedWhileActive;

        void add(Counts other) {
            activations += other.activations;
            confirmations += other.confirmations;
            switchovers += other.switchovers;
            fencings += other.fencings;
            reconciled += other.reconciled;
            crashes += other.crashes;
            forcedWhileActive += other.forcedWhileActive;
        }

        @Override
        public String toString() {
            return activations
                    + " promotions, "
                    + confirmations
                    + " confirmations, "
                    + switchovers
                    + " planned moves begun, "
                    + fencings
                    + " fencings, "
                    + reconciled
                    + " reconciled, "
                    + crashes
                    + " crashes, "
                    + forcedWhileActive
                    + " forced beside an active site";
        }
    }

    private static final class Disk {
        SiteRole role = SiteRole.STANDBY;
        Epoch epoch = new Epoch(1, Site.LOCAL);
        Epoch promise = new Epoch(1, Site.LOCAL);
        String promisedTo = "";
    }

    private final class Member {
        final SiteConfig config;
        final Disk disk = new Disk();
        SiteState state;
        boolean up;
        int life;
        long bootedAt;

        Member(SiteConfig config) {
            this.config = config;
            this.state = SiteState.booting(config);
        }

        String id() {
            return config.self();
        }
    }

    private record Mail(long at, long order, String to, int life, SiteEvent event, long sentAt) {}

    private final long seed;
    private final Rules rules;
    private final RandomGenerator random;
    private final Map<String, Member> members = new TreeMap<>();
    private final PriorityQueue<Mail> mails =
            new PriorityQueue<>(Comparator.comparingLong(Mail::at).thenComparingLong(Mail::order));
    private final Map<Epoch, Site> owners = new HashMap<>();
    private final Map<Epoch, String> openers = new HashMap<>();
    private final Map<Epoch, Long> activatedAt = new HashMap<>();
    private final Set<Epoch> forced = new HashSet<>();
    private final List<String> trace = new ArrayList<>();
    private final Counts counts = new Counts();
    private final int size;
    private final int steps;
    private final double lossRate;
    private final double crashRate;
    private boolean linkUp = true;
    private boolean quiet;
    private long now;
    private long order;
    private long rounds;

    private FailoverSimulation(long seed, Rules rules, int steps) {
        this.seed = seed;
        this.rules = rules;
        this.steps = steps;
        this.random = new SplittableRandom(seed);
        this.size = random.nextInt(3) == 0 ? 1 : 3;
        this.lossRate = random.nextDouble() * 0.3;
        this.crashRate = random.nextDouble() * 0.02;
        Set<String> local = names("l");
        Set<String> dr = names("d");
        for (String name : local) {
            members.put(name, new Member(config(Site.LOCAL, name, local, dr)));
        }
        for (String name : dr) {
            members.put(name, new Member(config(Site.DR, name, dr, local)));
        }
    }

    private static SiteConfig config(Site site, String name, Set<String> own, Set<String> peer) {
        return new SiteConfig(site, name, own, peer, 300, 200, 1500);
    }

    private Set<String> names(String prefix) {
        Set<String> names = new TreeSet<>();
        for (int i = 1; i <= size; i++) {
            names.add(prefix + i);
        }
        return names;
    }

    /** Runs a seed; throws {@link Violation} with the last events when a rule is broken. */
    static Counts run(long seed, Rules rules, int steps) {
        FailoverSimulation simulation = new FailoverSimulation(seed, rules, steps);
        try {
            simulation.run();
        } catch (Violation | IllegalStateException broken) {
            List<String> trace = simulation.trace;
            throw new Violation(
                    broken.getMessage()
                            + "\n  seed "
                            + seed
                            + "; replay: mvn -o -q -pl mode-switch -am verify"
                            + " -Dtest=FailoverSimulationTest#replay -Dseed="
                            + seed
                            + " -Dsurefire.failIfNoSpecifiedTests=false\n  "
                            + String.join(
                                    "\n  ",
                                    trace.subList(Math.max(0, trace.size() - 40), trace.size())));
        }
        return simulation.counts;
    }

    private void run() {
        Epoch first = new Epoch(1, Site.LOCAL);
        owners.put(first, Site.LOCAL);
        activatedAt.put(first, 0L);
        for (Member member : members.values()) {
            if (member.config.site() == Site.LOCAL) {
                member.disk.role = SiteRole.ACTIVE;
            }
            boot(member);
        }
        for (int i = 0; i < steps; i++) {
            now += 1 + random.nextInt(20);
            deliver();
            happen();
            check();
        }
        comeToRest();
    }

    /** Everything heals: the cluster must end with one active site, after one command at most. */
    private void comeToRest() {
        quiet = true;
        linkUp = true;
        members.values().stream().filter(m -> !m.up).forEach(this::boot);
        // A member may have missed the only answer that frees it, so each site may be forced once.
        for (int attempt = 0; attempt < 6; attempt++) {
            settle();
            if (activeSites().size() == 1 && atRest()) {
                return;
            }
            if (activeSites().isEmpty()) {
                List<Member> standby =
                        members.values().stream()
                                .filter(m -> m.state.role() == SiteRole.STANDBY)
                                .toList();
                if (standby.isEmpty()) {
                    standby =
                            members.values().stream()
                                    .filter(m -> m.state.role() == SiteRole.AWAIT_CONFIRM)
                                    .toList();
                }
                if (standby.isEmpty()) {
                    standby =
                            members.values().stream()
                                    .filter(m -> m.state.role() == SiteRole.FENCED)
                                    .toList();
                }
                if (standby.isEmpty()) {
                    throw new Violation(
                            "L1: nobody is active and nobody may become it: " + roles());
                }
                force(standby.get(attempt % standby.size()));
            }
        }
        if (activeSites().size() != 1) {
            throw new Violation(
                    "L1: " + activeSites() + " active after everything healed: " + roles());
        }
    }

    private boolean atRest() {
        return members.values().stream()
                .allMatch(m ->
                        m.state.role() == SiteRole.ACTIVE || m.state.role() == SiteRole.STANDBY);
    }

    private String roles() {
        StringBuilder out = new StringBuilder();
        members.values()
                .forEach(m ->
                        out.append(m.id())
                                .append('=')
                                .append(m.state.role())
                                .append(' ')
                                .append(m.state.epoch())
                                .append('/')
                                .append(m.state.promise())
                                .append(' '));
        return out.toString();
    }

    private void settle() {
        for (int i = 0; i < 400; i++) {
            now += 20;
            deliver();
            for (Member member : members.values()) {
                step(member, new SiteEvent.Tick(20), now);
            }
            if (i % 5 == 0) {
                members.values().forEach(this::gossip);
            }
            check();
            if (i > 60 && activeSites().size() == 1 && atRest()) {
                return;
            }
        }
    }

    // ---- the world

    private void happen() {
        Member member = pick();
        int dice = random.nextInt(1000);
        if (dice < 4) {
            linkUp = !linkUp;
            trace("link " + (linkUp ? "up" : "down"));
        } else if (dice < 14 && member.up) {
            force(member);
        } else if (dice < 40 && member.state.role() == SiteRole.ACTIVE) {
            Set<String> peers = member.config.peerMembers();
            String coordinator =
                    peers.stream().skip(random.nextInt(peers.size())).findFirst().orElseThrow();
            step(member, new SiteEvent.OperatorSwitchover(coordinator, true, silent(member)), now);
        } else if (dice < 40 + crashRate * 1000) {
            crash(member);
        } else if (dice < 200) {
            if (!member.up) {
                boot(member);
            }
        } else if (dice < 500) {
            gossip(member);
        } else if (dice < 800) {
            step(member, new SiteEvent.Tick(20 + random.nextInt(60)), now);
        } else if (dice < 860 && linkUp) {
            step(member, new SiteEvent.PeerInTime(), now);
        } else if (dice < 900) {
            step(member, new SiteEvent.CaughtUp(), now);
        } else if (dice < 910) {
            step(member, new SiteEvent.BarrierTimeout(), now);
        }
    }

    private Member pick() {
        return members.values().stream()
                .skip(random.nextInt(members.size()))
                .findFirst()
                .orElseThrow();
    }

    private Set<String> silent(Member member) {
        Set<String> silent = new TreeSet<>();
        member.config.ownMembers().stream().filter(n -> !get(n).up).forEach(silent::add);
        return silent;
    }

    private Member get(String name) {
        Member member = members.get(name);
        if (member == null) {
            throw new IllegalStateException("no member " + name);
        }
        return member;
    }

    private void force(Member member) {
        List<SiteEvent.Sight> sights = new ArrayList<>();
        if (linkUp && random.nextBoolean()) {
            for (String peer : member.config.peerMembers()) {
                Member other = get(peer);
                if (other.up) {
                    sights.add(new SiteEvent.Sight(peer, other.state.role(), other.state.epoch()));
                }
            }
        }
        step(member, new SiteEvent.OperatorFailover(true, sights), now);
        member.state.attempt().ifPresent(a -> forced.add(a.epoch()));
    }

    private void boot(Member member) {
        member.up = true;
        member.life++;
        member.bootedAt = now;
        member.state = SiteState.booting(member.config);
        Disk disk = member.disk;
        step(
                member,
                new SiteEvent.Booted(
                        disk.role, disk.epoch, disk.promise, disk.promisedTo, ++rounds),
                now);
    }

    private void crash(Member member) {
        if (member.up) {
            counts.crashes++;
            member.up = false;
            member.life++;
            trace("crash " + member.id());
        }
    }

    private void gossip(Member member) {
        if (!member.up || member.state.role() == SiteRole.BOOT) {
            return;
        }
        SiteState s = member.state;
        for (Member other : members.values()) {
            if (other != member) {
                post(
                        member,
                        other.id(),
                        new SiteEvent.PeerReport(member.id(), s.promise(), s.role(), s.epoch(), 0));
            }
        }
    }

    /** Sends between members: may be lost, repeated, late. */
    private void post(Member from, String to, SiteEvent event) {
        boolean across = get(to).config.site() != from.config.site();
        if (!quiet && ((across && !linkUp) || random.nextDouble() < lossRate)) {
            return;
        }
        mail(to, -1, event, random.nextInt(8) == 0 && !quiet ? 400 : 60);
        if (!quiet && random.nextInt(20) == 0) {
            mail(to, -1, event, 800);
        }
    }

    /** The shell's own answer to a member: lost in a crash of that member. */
    private void self(Member member, SiteEvent event) {
        mail(member.id(), member.life, event, 30);
    }

    private void mail(String to, int life, SiteEvent event, int spread) {
        mails.add(new Mail(now + 1 + random.nextInt(spread), order++, to, life, event, now));
    }

    private void deliver() {
        while (true) {
            Mail mail = mails.peek();
            if (mail == null || mail.at() > now) {
                return;
            }
            mails.remove();
            Member member = get(mail.to());
            if (member.up && (mail.life() < 0 || mail.life() == member.life)) {
                step(member, mail.event(), mail.sentAt());
            }
        }
    }

    // ---- one member's shell

    private final Map<String, Map<String, Long>> counted = new HashMap<>();

    private void step(Member member, SiteEvent event, long sentAt) {
        if (!member.up) {
            return;
        }
        SiteState before = member.state;
        Decision decision = SiteMachine.step(before, event, rules);
        SiteState after = decision.state();
        member.state = after;
        if (before.role() != after.role()) {
            trace(
                    member.id()
                            + " "
                            + before.role()
                            + "->"
                            + after.role()
                            + " "
                            + after.epoch()
                            + " promise "
                            + after.promise()
                            + " by "
                            + event);
        }
        noteConfirmation(member, before, after, event, sentAt);
        if (after.role() == SiteRole.FENCED && before.role() != SiteRole.FENCED) {
            counts.fencings++;
        }
        int life = member.life;
        for (SiteEffect effect : decision.effects()) {
            if (member.life != life) {
                return;
            }
            perform(member, effect);
            if (!quiet && random.nextDouble() < crashRate / 2) {
                crash(member);
            }
        }
    }

    private void noteConfirmation(
            Member member, SiteState before, SiteState after, SiteEvent event, long sentAt) {
        Map<String, Long> sent = counted.computeIfAbsent(member.id(), k -> new HashMap<>());
        if (event instanceof SiteEvent.Booted) {
            sent.clear();
        }
        boolean confirmed =
                before.role() == SiteRole.AWAIT_CONFIRM && after.role() == SiteRole.ACTIVE;
        boolean bold = event instanceof SiteEvent.Booted && after.role() == SiteRole.ACTIVE;
        if (event instanceof SiteEvent.PeerReport report
                && (confirmed || after.confirmations().size() > before.confirmations().size())) {
            sent.put(report.member(), sentAt);
        }
        if (confirmed || bold) {
            counts.confirmations++;
            long oldest =
                    Math.max(
                            member.bootedAt,
                            sent.values().stream().mapToLong(v -> v).min().orElse(now));
            for (Map.Entry<Epoch, Long> active : activatedAt.entrySet()) {
                if (active.getKey().compareTo(after.epoch()) > 0 && active.getValue() < oldest) {
                    throw new Violation(
                            "I6: "
                                    + member.id()
                                    + " became ACTIVE again in "
                                    + after.epoch()
                                    + " although "
                                    + active.getKey()
                                    + " was active");
                }
            }
        }
    }

    private void perform(Member member, SiteEffect effect) {
        switch (effect) {
            case SiteEffect.PersistPromise e -> {
                member.disk.promise = e.epoch();
                member.disk.promisedTo = e.candidate();
                if (e.candidate().equals(member.id())) {
                    self(member, new SiteEvent.PromiseDurable(member.id(), e.epoch()));
                }
            }
            case SiteEffect.PersistRole e -> {
                member.disk.role = e.role();
                member.disk.epoch = e.epoch();
            }
            case SiteEffect.AskConfirmation e ->
                    e.members()
                            .forEach(m ->
                                    post(
                                            member,
                                            m,
                                            new SiteEvent.ConfirmAsked(member.id(), e.round())));
            case SiteEffect.SendReport e ->
                    post(
                            member,
                            e.member(),
                            new SiteEvent.PeerReport(
                                    member.id(), e.promise(), e.role(), e.epoch(), e.round()));
            case SiteEffect.AskPromises e -> {
                for (int again = 0; again < 3; again++) {
                    e.members()
                            .forEach(m ->
                                    post(
                                            member,
                                            m,
                                            new SiteEvent.PromiseAsked(member.id(), e.epoch())));
                }
            }
            case SiteEffect.GrantPromise e -> {
                if (member.disk.promise.compareTo(e.epoch()) < 0) {
                    throw new Violation(
                            "I13: "
                                    + member.id()
                                    + " granted "
                                    + e.epoch()
                                    + " but has only "
                                    + member.disk.promise
                                    + " on disk");
                }
                post(member, e.candidate(), new SiteEvent.PromiseDurable(member.id(), e.epoch()));
            }
            case SiteEffect.RefusePromise e ->
                    post(
                            member,
                            e.candidate(),
                            new SiteEvent.PromiseRefused(member.id(), e.promise()));
            case SiteEffect.ReadTails e ->
                    self(member, new SiteEvent.TailsRead(e.epoch(), e.members()));
            case SiteEffect.OpenLineage e -> {
                String other = openers.putIfAbsent(e.epoch(), member.id());
                if (other != null && !other.equals(member.id())) {
                    throw new Violation(
                            "I1: "
                                    + other
                                    + " and "
                                    + member.id()
                                    + " both opened lineage "
                                    + e.epoch());
                }
                self(member, new SiteEvent.LineageOpen(e.epoch()));
            }
            case SiteEffect.CommitEpochChange e -> commit(member, e);
            case SiteEffect.StartServices e -> activated(member, e.epoch());
            case SiteEffect.Drain e -> {
                counts.switchovers++;
                self(member, new SiteEvent.Drained());
            }
            case SiteEffect.AwaitBarrier e ->
                    self(
                            member,
                            random.nextInt(4) == 0
                                    ? new SiteEvent.BarrierTimeout()
                                    : new SiteEvent.BarrierReached());
            case SiteEffect.BeginReconcile e -> {
                counts.reconciled++;
                self(member, new SiteEvent.ReconcileDone(e.epoch()));
            }
            case SiteEffect.CommitReplication e ->
                    self(member, new SiteEvent.ReplicationCommitted(e.state()));
            case SiteEffect.CloseAckGate e -> {}
            case SiteEffect.CloseLineage e -> {}
            case SiteEffect.SeedLineage e -> {}
            case SiteEffect.StopServices e -> {}
            case SiteEffect.AbortDrain e -> {}
            case SiteEffect.JoinLineage e -> {}
            case SiteEffect.AllowUnprotectedAcks e -> {}
            case SiteEffect.CaptureBarrier e -> {}
            case SiteEffect.Refuse e -> {}
            case SiteEffect.ChangeEpoch e -> {}
            case SiteEffect.OpenAckGate e -> {}
            case SiteEffect.AskWitness e -> {}
            case SiteEffect.AnswerWitness e -> {}
            case SiteEffect.PreferSite e -> {}
            case SiteEffect.Ignore e -> {}
        }
    }

    private void commit(Member member, SiteEffect.CommitEpochChange e) {
        if (e.epoch().compareTo(e.parent()) <= 0) {
            throw new Violation("I14: EpochChange " + e.epoch() + " after " + e.parent());
        }
        if (member.state.role() == SiteRole.DRAINING) {
            for (String name : member.config.ownMembers()) {
                Disk disk = get(name).disk;
                if (disk.role == SiteRole.ACTIVE && disk.promise.compareTo(e.epoch()) < 0) {
                    throw new Violation(
                            "handover: "
                                    + name
                                    + " could be confirmed in "
                                    + disk.epoch
                                    + " after the EpochChange "
                                    + e.epoch());
                }
            }
            // Committed and protected: every member of the other site gets it some time.
            member.config
                    .peerMembers()
                    .forEach(m ->
                            mail(
                                    m,
                                    -1,
                                    new SiteEvent.SwitchoverApplied(e.epoch(), e.coordinator()),
                                    300));
        }
        self(member, new SiteEvent.EpochChangeCommitted(e.epoch()));
    }

    private void activated(Member member, Epoch epoch) {
        Site site = member.config.site();
        Site owner = owners.putIfAbsent(epoch, site);
        if (owner != null && owner != site) {
            throw new Violation("I1: epoch " + epoch + " owned by " + owner + " and " + site);
        }
        if (activatedAt.putIfAbsent(epoch, now) == null) {
            counts.activations++;
            long promised =
                    member.config.ownMembers().stream()
                            .filter(m -> get(m).disk.promise.compareTo(epoch) >= 0)
                            .count();
            if (promised < member.config.ownQuorum()) {
                throw new Violation(
                        "seal: " + epoch + " active with the durable promise of " + promised);
            }
            if (activeSites().size() > 1) {
                counts.forcedWhileActive++;
            }
        }
    }

    // ---- what must hold at any time

    private final Map<String, Epoch> promised = new HashMap<>();

    private Set<Site> activeSites() {
        Set<Site> sites = new TreeSet<>();
        for (Member member : members.values()) {
            if (member.up && member.state.mayCommand()) {
                sites.add(member.config.site());
            }
        }
        return sites;
    }

    private void check() {
        Set<Epoch> commanding = new HashSet<>();
        for (Member member : members.values()) {
            if (member.up && member.state.role() != SiteRole.BOOT) {
                Epoch before = promised.put(member.id(), member.state.promise());
                if (before != null && before.compareTo(member.state.promise()) > 0) {
                    throw new Violation(
                            "I13: promise of "
                                    + member.id()
                                    + " fell from "
                                    + before
                                    + " to "
                                    + member.state.promise());
                }
                if (member.state.mayCommand()) {
                    commanding.add(member.state.epoch());
                    if (member.state.epoch().compareTo(member.state.promise()) < 0) {
                        throw new Violation(
                                "I6: "
                                        + member.id()
                                        + " commands in "
                                        + member.state.epoch()
                                        + " with promise "
                                        + member.state.promise());
                    }
                }
            }
        }
        if (activeSites().size() > 1) {
            Epoch newest = commanding.stream().max(Epoch::compareTo).orElseThrow();
            if (!forced.contains(newest)) {
                throw new Violation(
                        "I4: two sites active in " + commanding + " and no force recorded");
            }
        }
    }

    private void trace(String line) {
        trace.add(now + " " + line);
    }

    @Override
    public String toString() {
        return "seed " + seed;
    }
}
