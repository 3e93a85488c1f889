package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SimLog.Entry;
import io.holdfast.modeswitch.SimLog.Kind;
import io.holdfast.modeswitch.SimLog.SimGroup;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Two sites, and a witness in P3, that run the production's {@link SiteMachine} and {@link
 * SiteAckBook} on a simulated network and disks; a seed is a run. The members' shells are {@link
 * SimShell}, Raft is {@link SimRaft}, what goes wrong {@link SimOperator}, what must hold {@link
 * SimChecks}.
 *
 * <p>First chaos for {@link #STEPS} steps, then everything heals, and L1 is asked for: exactly one
 * site active, in SYNC, with everybody in its lineage. Operators may be needed for that.
 */
final class Simulation {
    static final int STEPS = 420;

    /** How much of its trace a violation's message holds. */
    static final int TOLD_LINES = 60;

    private static final int TOLD_COLUMNS = 240;

    final SimProfile profile;
    final Rules rules;
    final SimMember[] members;
    final SimNetwork net;
    final SimRaft raft;
    final SimShell shell;
    final SimChecks checks;
    final SimOperator operator;
    final SimCounts counts = new SimCounts();
    final SimAgent[] agents = {new SimAgent("agent"), new SimAgent("store")};

    /** Sites that lost every disk, until all their members are back. */
    final boolean[] burnt = new boolean[4];

    final long[] longs = new long[8];
    final long[][] heardAt;
    int[] stamps = new int[256];
    long now;
    boolean calm;

    private final long seed;
    private final SplittableRandom random;
    private final Map<String, SimMember> byId = new HashMap<>();
    private final Map<Epoch, SimGroup> groups = new HashMap<>();
    private final Map<Epoch, String> openers = new HashMap<>();
    private final Map<Epoch, Epoch> planned = new HashMap<>();
    private final @Nullable List<String> trace;
    private int entries;
    private int stamp;
    private long rounds;

    private Simulation(long seed, SimProfile profile, Rules rules, boolean traced) {
        this.seed = seed;
        this.profile = profile;
        this.rules = rules;
        random = new SplittableRandom(seed ^ profile.word().hashCode() * 0x9E3779B97F4A7C15L);
        trace = traced ? new ArrayList<>() : null;
        Set<String> local = names("l");
        Set<String> dr = names("d");
        int count = 2 * profile.size + (profile.witness ? 1 : 0);
        Profile decides = decides();
        Epoch first = new Epoch(1, Site.LOCAL);
        members = new SimMember[count];
        heardAt = new long[count][count];
        int i = 0;
        for (String id : local) {
            members[i] = member(i++, Site.LOCAL, id, local, dr, decides, first);
        }
        for (String id : dr) {
            members[i] = member(i++, Site.DR, id, dr, local, decides, first);
        }
        if (profile.witness) {
            members[i] = member(i, Site.WITNESS, "w1", local, dr, decides, first);
        }
        for (SimMember m : members) {
            byId.put(m.id, m);
        }
        net = new SimNetwork(this, count);
        raft = new SimRaft(this, count);
        shell = new SimShell(this);
        checks = new SimChecks(this, count);
        operator = new SimOperator(this, new SplittableRandom(~seed));
        init(first);
    }

    private Profile decides() {
        if (!profile.witness) {
            return Profile.p2();
        }
        return new Profile(
                Profile.Kind.P3,
                "w1",
                100 + random.nextInt(random.nextInt(3) == 0 ? 40 : 500),
                400,
                270,
                random.nextInt(8) != 0,
                random.nextBoolean()
                        ? Profile.Requires.METADATA
                        : Profile.Requires.PROTECTED_BACKUPS);
    }

    private Set<String> names(String prefix) {
        Set<String> names = new TreeSet<>();
        for (int i = 1; i <= profile.size; i++) {
            names.add(prefix + i);
        }
        return names;
    }

    private SimMember member(
            int index,
            Site site,
            String id,
            Set<String> own,
            Set<String> peer,
            Profile decides,
            Epoch first) {
        SiteConfig config = new SiteConfig(site, id, own, peer, 300, 60, 900, decides);
        double rate = profile.witness ? 0.75 + random.nextInt(3) * 0.25 : 1;
        return new SimMember(index, config, rate, 2 * profile.size + 1, first);
    }

    private void init(Epoch first) {
        SimGroup group = new SimGroup(first, members.length);
        groups.put(first, group);
        openers.put(first, "init");
        Entry opening = epochEntry(group, 0, first, "init", "");
        group.seedLength = 1;
        group.stretched = profile.witness;
        checks.first(first, opening);
        int passive = 0;
        for (SimMember m : members) {
            SimLog log = new SimLog(group);
            log.append(opening);
            log.durable = 1;
            m.log = log;
            if (m.site() == Site.LOCAL) {
                m.diskRole = SiteRole.ACTIVE;
                group.voter[m.index] = 0;
            } else if (m.site() == Site.WITNESS) {
                m.diskRole = SiteRole.WITNESS;
                group.voter[m.index] = 0;
            } else if (profile.witness || (profile.size == 3 && passive++ < 2)) {
                group.voter[m.index] = 0;
            }
        }
        for (SimMember m : members) {
            boot(m);
        }
    }

    /** Runs a seed. @throws SimViolation with the end of its trace, and how to replay it */
    static SimCounts run(long seed, SimProfile profile, Rules rules) {
        Simulation world = new Simulation(seed, profile, rules, false);
        try {
            world.run();
        } catch (RuntimeException broken) {
            throw world.told(broken);
        }
        return world.counts;
    }

    /** Runs a seed again, and returns what happened, the violation last. */
    static List<String> replay(long seed, SimProfile profile, Rules rules) {
        Simulation world = new Simulation(seed, profile, rules, true);
        List<String> lines = world.trace == null ? new ArrayList<>() : world.trace;
        try {
            world.run();
            lines.add("held: " + world.counts);
        } catch (RuntimeException broken) {
            lines.add("VIOLATION " + what(broken));
        }
        return lines;
    }

    private static String what(RuntimeException broken) {
        return switch (broken) {
            case SimViolation e -> String.valueOf(e.getMessage());
            case IllegalStateException e -> "illegal: " + e.getMessage();
            default -> broken.toString();
        };
    }

    /** The last lines of a trace, none of them endless. */
    static String end(List<String> lines) {
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

    /** The command that replays a seed. */
    static String command(long seed, SimProfile profile, Rules rules) {
        return "ops/bench/simulate --profile "
                + profile.word()
                + " --seed "
                + seed
                + " --trace"
                + (rules.removed().isEmpty()
                        ? ""
                        : " --without " + rules.removed().iterator().next());
    }

    private SimViolation told(RuntimeException broken) {
        SimViolation told =
                new SimViolation(
                        what(broken)
                                + end(replay(seed, profile, rules))
                                + "\n  seed "
                                + seed
                                + "; replay: "
                                + command(seed, profile, rules));
        told.initCause(broken);
        return told;
    }

    private void run() {
        for (int i = 0; i < STEPS; i++) {
            now += 1 + random.nextInt(9);
            deliver();
            operator.happen();
        }
        comeToRest();
        counts.seeds++;
    }

    private void comeToRest() {
        calm = true;
        net.heal();
        for (SimMember m : members) {
            m.pausedUntil = 0;
            m.downUntil = 0;
        }
        trace("everything heals");
        for (int attempt = 0; attempt < 10; attempt++) {
            if (settle()) {
                return;
            }
            SimMember active = active();
            if (active == null) {
                operator.rescue(attempt);
            }
        }
        throw new SimViolation("L1: not at rest after everything healed: " + roles());
    }

    private boolean settle() {
        for (int i = 0; i < 90; i++) {
            now += 15;
            deliver();
            for (SimMember m : members) {
                if (m.up) {
                    tick(m);
                } else {
                    boot(m);
                }
            }
            if (i % 4 == 3 && atRest()) {
                SimMember leader = active();
                if (leader != null) {
                    checks.nothingVanished(leader);
                    return true;
                }
            }
        }
        return false;
    }

    /** The one that leads the one active site; null while there is none, or two. */
    private @Nullable SimMember active() {
        SimMember found = null;
        for (SimMember m : members) {
            if (serves(m) && m.leads) {
                if (found != null && found.site() != m.site()) {
                    return null;
                }
                found = m;
            }
        }
        return found;
    }

    private boolean atRest() {
        SimMember leader = active();
        if (leader == null
                || leader.log == null
                || leader.state.replication() != ReplicationState.SYNC) {
            return false;
        }
        for (SimMember m : members) {
            boolean rests =
                    m.running()
                            && m.log != null
                            && m.log.group == leader.log.group
                            && m.log.applied == leader.log.length
                            && switch (m.state.role()) {
                                case ACTIVE, STANDBY, WITNESS -> true;
                                case AWAIT_CONFIRM -> profile.witness && m.site() == leader.site();
                                case BOOT, DRAINING, SEALING, PROMOTING, FENCED, RECONCILING ->
                                        false;
                            };
            if (!rests || (m.site() != leader.site() && serves(m))) {
                return false;
            }
        }
        return true;
    }

    String roles() {
        StringBuilder out = new StringBuilder();
        for (SimMember m : members) {
            out.append(m.id)
                    .append('=')
                    .append(m.running() ? m.state.role().name() : m.up ? "unadmitted" : "down")
                    .append(' ')
                    .append(m.state.epoch())
                    .append('/')
                    .append(m.state.promise())
                    .append(m.leads ? " leads" : "")
                    .append(
                            m.log == null
                                    ? " -"
                                    : " in %s %d/%d/%d"
                                            .formatted(
                                                    m.log.group.fork,
                                                    m.log.applied,
                                                    m.log.durable,
                                                    m.log.length))
                    .append(' ')
                    .append(m.state.replication())
                    .append("; ");
        }
        return out.toString();
    }

    // ---- members

    void boot(SimMember m) {
        if (m.up || m.downUntil > now) {
            return;
        }
        m.up = true;
        m.life++;
        m.bootedAt = now;
        m.tickedAt = now;
        m.heardLeaderAt = now;
        m.state = SiteState.booting(m.config);
        Arrays.fill(heardAt[m.index], Long.MIN_VALUE);
        if (m.admitted) {
            start(m);
        }
    }

    /** The machine begins, with what the disk says. */
    void start(SimMember m) {
        m.state = SiteState.booting(m.config);
        m.tickedAt = now;
        m.gate = m.diskPromise.equals(m.diskEpoch) ? m.diskLineage : m.diskPromise;
        checks.booted(m);
        step(
                m,
                new SiteEvent.Booted(
                        m.diskRole,
                        m.diskEpoch,
                        m.diskLineage,
                        m.diskPromise,
                        m.diskPromisedTo,
                        ++rounds));
        if (m.running()) {
            shell.tellShape(m);
        }
    }

    void crash(SimMember m) {
        if (m.up) {
            counts.crashes++;
            counts.lostWrites += m.log == null ? 0 : m.log.length - m.log.durable;
            trace(m, "crashes");
            m.forget();
        }
    }

    /** A new storage: everything that this member had is gone. */
    void wipe(SimMember m) {
        counts.wipes++;
        if (m.up) {
            m.forget();
        }
        trace(m, "loses its storage");
        checks.wiped(m);
        m.incarnation++;
        m.admitted = false;
        m.log = null;
        m.closed.clear();
        m.diskPromisedTo = "";
        m.diskPromise = new Epoch(0, Site.LOCAL);
        m.state = SiteState.booting(m.config);
    }

    int unadmitted(Site site) {
        int count = 0;
        for (SimMember m : members) {
            count += m.site() == site && !m.admitted ? 1 : 0;
        }
        return count;
    }

    /** Whether it commands agents and stores, seen from outside. */
    boolean serves(SimMember m) {
        SiteState s = m.state;
        if (!m.running() || m.pausedUntil > now) {
            return false;
        }
        if (!profile.witness) {
            return s.mayCommand();
        }
        if (!m.leads && rules.has(Rule.SELF_FENCE)) {
            return false;
        }
        if (!rules.has(Rule.SELF_FENCE)) {
            return s.role() == SiteRole.ACTIVE;
        }
        long elapsed = (long) ((now - m.tickedAt) * m.clockRate);
        return s.mayCommand() && (!s.group().stretched() || s.group().leaseLeftMillis() > elapsed);
    }

    void tick(SimMember m) {
        if (m.pausedUntil > now) {
            return;
        }
        m.ticks++;
        if (m.running()) {
            long elapsed = (long) ((now - m.tickedAt) * m.clockRate);
            m.tickedAt = now;
            shell.tellShape(m);
            shell.tellEpoch(m);
            step(m, new SiteEvent.Tick(elapsed));
        }
        if (m.up) {
            raft.tick(m);
        }
        if (m.running()) {
            shell.tick(m);
        } else if (m.up) {
            shell.acknowledge(m);
        }
        if (m.running() && m.ticks % 3 == 0) {
            gossip(m);
        }
        if (m.running() && serves(m)) {
            int agent = random.nextInt(agents.length);
            if (calm || random.nextInt(3) == 0) {
                net.send(m, m, new SimShell.Command(agent, m.state.epoch().encoded()));
            }
        }
    }

    private void gossip(SimMember m) {
        SiteState s = m.state;
        SiteEvent report =
                new SiteEvent.PeerReport(m.id, s.promise(), s.role(), s.epoch(), s.lineage(), 0);
        for (SimMember o : members) {
            if (o != m) {
                net.send(m, o, report);
            }
        }
    }

    // ---- events

    private void deliver() {
        while (net.due()) {
            SimNetwork.Mail mail = net.take();
            SimMember to = members[mail.to];
            if (mail.body instanceof SimShell.Command command) {
                obey(to, command);
                continue;
            }
            if (!to.up || (mail.life >= 0 && mail.life != to.life)) {
                continue;
            }
            if (to.pausedUntil > now) {
                net.keep(mail, to.pausedUntil);
                continue;
            }
            counts.events++;
            switch (mail.body) {
                case SimRaft.Append append -> raft.appendCame(to, mail.from, append);
                case SimRaft.Appended appended -> {
                    if (to.running()) {
                        raft.appendedCame(to, mail.from, appended);
                    }
                }
                case SimShell.Acknowledge ack -> {
                    if (to.running()) {
                        shell.acknowledged(to, mail.from, ack);
                    }
                }
                case SimShell.Admit admit -> shell.admit(to, admit);
                case SimShell.OpenHere open -> {
                    if (to.running()) {
                        shell.openHere(to, open);
                    }
                }
                case SimShell.ReadTailsNow read -> shell.readTails(to, read);
                case SiteEvent event -> {
                    if (to.running()) {
                        hear(to, mail, event);
                    }
                }
                default -> throw new AssertionError(mail.body);
            }
        }
    }

    private void hear(SimMember to, SimNetwork.Mail mail, SiteEvent event) {
        if (event instanceof SiteEvent.PeerReport report) {
            heardAt[to.index][mail.from] = now;
            Set<String> before = to.state.confirmations();
            boolean waits = to.state.role() == SiteRole.AWAIT_CONFIRM;
            answering = mail;
            step(to, event);
            answering = null;
            if (waits && to.state.confirmations().size() > before.size()) {
                checks.answered(to, member(report.member()), mail.sentAt);
            }
            return;
        }
        step(to, event);
    }

    private SimNetwork.@Nullable Mail answering;

    private void obey(SimMember from, SimShell.Command command) {
        long stands =
                agents[command.agent()].command(command.epoch(), rules.has(Rule.AGENT_REMEMBERS));
        if (stands == 0) {
            counts.commandsObeyed++;
        } else {
            counts.commandsRefused++;
            if (from.running()) {
                step(from, new SiteEvent.HigherEpochSeen(Epoch.decode(stands)));
            }
        }
    }

    /** One step of a member's machine, and its effects; a crash may come between any two. */
    void step(SimMember m, SiteEvent event) {
        counts.events++;
        SiteState before = m.state;
        Decision decision = SiteMachine.step(before, event, rules);
        SiteState after = decision.state();
        m.state = after;
        if (before.role() != after.role()) {
            changed(m, before, after, event);
        }
        if (before.replication() != after.replication()) {
            trace(m, "replication %s -> %s", before.replication(), after.replication());
            if (after.replication() == ReplicationState.SYNC) {
                checks.inSync(m);
            }
        }
        if (after.attempt() != before.attempt() && after.attempt().isPresent()) {
            SiteState.Attempt attempt = after.attempt().orElseThrow();
            if (before.attempt().filter(a -> a.epoch().equals(attempt.epoch())).isEmpty()) {
                m.attemptSince = now;
                if (attempt.stage() == SiteState.Stage.PROMISES && operator.commands()) {
                    checks.forced(attempt.epoch());
                }
            }
        }
        int life = m.life;
        List<SiteEffect> effects = decision.effects();
        for (int i = 0; i < effects.size(); i++) {
            if (m.life != life) {
                return;
            }
            if (!calm && i > 0 && random.nextInt(400) == 0) {
                crash(m);
                return;
            }
            shell.perform(m, effects.get(i));
        }
        if (m.life == life && m.up) {
            if (before.promise() != after.promise()) {
                checks.promises(m);
            }
            if (serves(m)) {
                checks.commands(m);
            }
        }
    }

    private void changed(SimMember m, SiteState before, SiteState after, SiteEvent event) {
        if (trace != null) {
            trace(
                    m,
                    "%s -> %s, epoch %s, promise %s, by %s",
                    before.role(),
                    after.role(),
                    after.epoch(),
                    after.promise(),
                    event);
        }
        if (after.role() == SiteRole.FENCED) {
            counts.fencings++;
        }
        boolean resumed =
                after.role() == SiteRole.ACTIVE
                        && (before.role() == SiteRole.AWAIT_CONFIRM
                                || event instanceof SiteEvent.Booted);
        if (resumed) {
            if (answering != null) {
                checks.answered(m, members[answering.from], answering.sentAt);
            }
            checks.resumed(m);
        }
        if (before.role() == SiteRole.ACTIVE && after.role() == SiteRole.AWAIT_CONFIRM) {
            counts.selfFences++;
        }
    }

    // ---- lineages and entries

    SimGroup open(Epoch epoch, SimMember opener) {
        String other = openers.putIfAbsent(epoch, opener.id);
        if (other != null && !other.equals(opener.id)) {
            throw new SimViolation(
                    "I1: " + other + " and " + opener.id + " both opened lineage " + epoch);
        }
        SimGroup group = new SimGroup(epoch, members.length);
        groups.put(epoch, group);
        return group;
    }

    SimGroup group(Epoch epoch) {
        SimGroup group = groups.get(epoch);
        if (group == null) {
            throw new IllegalStateException("no lineage " + epoch);
        }
        return group;
    }

    void planned(Epoch epoch, Epoch parent) {
        planned.put(epoch, parent);
    }

    boolean isPlanned(Epoch epoch) {
        return planned.containsKey(epoch);
    }

    @Nullable Epoch plannedFrom(Epoch epoch) {
        return planned.get(epoch);
    }

    Entry entry(Kind kind, SimGroup group, long term) {
        int id = entries++;
        if (id == stamps.length) {
            stamps = Arrays.copyOf(stamps, id * 2);
        }
        return new Entry(id, kind, group, term);
    }

    Entry epochEntry(SimGroup group, long term, Epoch epoch, String reason, String coordinator) {
        Entry entry = entry(Kind.EPOCH, group, term);
        entry.epoch = epoch;
        entry.reason = reason;
        entry.coordinator = coordinator;
        return entry;
    }

    /** Marks what a log holds; returns the mark. */
    int stamp(Entry[] log) {
        stamp++;
        for (Entry entry : log) {
            stamps[entry.id] = stamp;
        }
        return stamp;
    }

    SimMember member(String id) {
        SimMember member = byId.get(id);
        if (member == null) {
            throw new IllegalStateException("no member " + id);
        }
        return member;
    }

    // ---- chance and words

    int random(int bound) {
        return random.nextInt(bound);
    }

    boolean chance(double probability) {
        return probability > 0 && random.nextDouble() < probability;
    }

    void trace(SimMember m, String format, Object... words) {
        if (trace != null) {
            trace.add(
                    String.format(Locale.ROOT, "%6d %-3s ", now, m.id)
                            + String.format(Locale.ROOT, format, words));
        }
    }

    void trace(String format, Object... words) {
        if (trace != null) {
            trace.add(
                    String.format(Locale.ROOT, "%6d     ", now)
                            + String.format(Locale.ROOT, format, words));
        }
    }
}
