package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SiteState.Stage;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A disaster in several acts, each some steps after the one before: what chance alone seldom brings
 * together. Everything else goes on beside it.
 */
final class SimPlan {
    /** What happens when its turn has come; false to be asked again at the next step. */
    private interface Act {
        boolean happens();
    }

    private static final int PATIENCE = 120;
    private static final long LONG = 1_500;

    private final Simulation world;
    private final SimOperator operator;
    private final List<Act> acts = new ArrayList<>();
    private final List<int[]> pauses = new ArrayList<>();
    private int at;
    private int wait;
    private int asked;

    /** Nobody writes for now. */
    boolean quiet;

    private final boolean alone;
    private String name = "";

    // Who plays: the active site's leader, the others of its site, and the passive site.
    private SimMember[] own = {};
    private SimMember[] peers = {};
    private @Nullable SimMember leader;

    SimPlan(Simulation world, SimOperator operator) {
        this.world = world;
        this.operator = operator;
        boolean p3 = world.profile.witness;
        alone = world.random(2) == 0;
        wait = 20 + world.random(p3 ? 60 : 120);
        switch (world.random(p3 ? 13 : 8)) {
            case 0 -> committedElsewhere();
            case 1 -> sealedBehindItsBack();
            case 2, 3 -> readAfterALoss();
            case 4 -> longerButOlder();
            case 5 -> forcedTwiceAtOnce();
            case 6 -> forcedWhileAlive();
            case 7 -> {
                if (!p3) {
                    deposedBehindTheBarrier();
                }
            }
            case 8, 9 -> leaderAlone();
            case 10 -> comingAndGoing(false);
            case 11 -> comingAndGoing(true);
            case 12 -> backFromAFork();
            default -> {
                // Chance alone.
            }
        }
    }

    /** Nothing else happens while it lasts. */
    boolean alone() {
        return alone && at < acts.size();
    }

    void step() {
        if (at == acts.size() || wait-- > 0) {
            return;
        }
        if (acts.get(at).happens()) {
            world.trace("plan %s: act %d of %d", name, at + 1, acts.size());
            int[] pause = pauses.get(at);
            wait = pause[0] + world.random(pause[1] - pause[0] + 1);
            at++;
            asked = 0;
        } else if (++asked > PATIENCE) {
            at = acts.size();
            quiet = false;
        }
    }

    private void act(int pause, Act act) {
        act(0, pause, act);
    }

    /** The next one comes so many steps later. */
    private void named(String what) {
        name = what;
    }

    private void act(int least, int most, Act act) {
        acts.add(act);
        pauses.add(new int[] {least, most});
    }

    // ---- the plans

    /** Raft commits with one member of the active site; that one is lost, and the others go on. */
    private void committedElsewhere() {
        named("committed elsewhere");
        act(30, 80, () -> cast() && isolate(true, others()));
        act(
                10,
                () -> {
                    cut(true);
                    down(LONG, lead());
                    isolate(false, others());
                    down(0, others());
                    return true;
                });
        act(0, () -> force(others()));
    }

    /** A member is down while its site seals a higher epoch, and the other site has not heard of it. */
    private void sealedBehindItsBack() {
        named("sealed behind its back");
        act(
                5,
                () -> {
                    if (!cast()) {
                        return false;
                    }
                    cut(true);
                    down(LONG, lead());
                    down(0, others());
                    return true;
                });
        act(0, () -> force(others()));
        act(
                0,
                () -> {
                    for (SimMember m : others()) {
                        if (m.state.role() == SiteRole.ACTIVE) {
                            isolate(true, others());
                            cut(false);
                            lead().downUntil = 0;
                            return true;
                        }
                    }
                    return false;
                });
    }

    /** A storage is lost, the active site after it, and the operator promotes those that were behind. */
    private void readAfterALoss() {
        named("read after a loss");
        boolean late = world.random(2) == 0;
        act(
                10,
                60,
                () -> {
                    if (!cast()) {
                        return false;
                    }
                    if (late) {
                        world.net.crawls = Set.of(SimShell.Acknowledge.class);
                    }
                    return isolate(true, last());
                });
        act(
                0,
                () -> {
                    operator.wipe(peers[0]);
                    world.net.crawls = Set.of();
                    return true;
                });
        act(
                5,
                () -> {
                    if (!peers[0].admitted && asked < PATIENCE / 2) {
                        return false;
                    }
                    down(LONG, own);
                    witnessAlone(true);
                    isolate(false, last());
                    if (peers.length == 3) {
                        isolate(true, peers[1]);
                    }
                    return true;
                });
        act(0, () -> force(peers[0], peers[peers.length - 1]));
    }

    /** The site that was left writes on; it comes back, and is promoted with one log of each kind. */
    private void longerButOlder() {
        named("longer but older");
        act(
                40,
                () -> {
                    boolean ready = cast();
                    cut(ready);
                    witnessAlone(ready);
                    return ready;
                });
        act(0, () -> force(peers));
        act(
                100,
                () -> {
                    if (!active(peers)) {
                        return false;
                    }
                    cut(false);
                    witnessAlone(false);
                    return own.length == 1 || isolate(true, own[own.length - 1]);
                });
        act(
                10,
                () -> {
                    isolate(false, own);
                    down(LONG, peers);
                    if (own.length == 3) {
                        down(LONG, own[0]);
                    }
                    witnessAlone(true);
                    return true;
                });
        act(0, () -> force(own));
    }

    /** A planned move has passed its barrier; then another leads for a while, and takes backups. */
    private void deposedBehindTheBarrier() {
        named("deposed behind the barrier");
        act(
                0,
                () -> {
                    if (!cast() || lead().state.replication() != ReplicationState.SYNC) {
                        return false;
                    }
                    world.net.crawls = Set.of(SiteEvent.PromiseAsked.class);
                    operator.switchover(lead());
                    return true;
                });
        act(
                60,
                120,
                () ->
                        lead().state.role() == SiteRole.DRAINING
                                && !lead().state.mayCommand()
                                && isolate(true, lead()));
        act(
                0,
                () -> {
                    world.net.crawls = Set.of();
                    return isolate(false, lead());
                });
    }

    private void forcedTwiceAtOnce() {
        named("forced twice at once");
        act(
                0,
                () -> {
                    if (!cast()) {
                        return false;
                    }
                    for (SimMember m : peers) {
                        force(m);
                    }
                    return true;
                });
    }

    /** The operator forces while the other site lives, and the new one's members lose each other. */
    private void forcedWhileAlive() {
        named("forced while alive");
        act(
                0,
                () -> {
                    if (!cast() || lead().state.replication() != ReplicationState.SYNC) {
                        return false;
                    }
                    world.net.crawls = Set.of(SiteEvent.PeerReport.class, SimShell.OpenHere.class);
                    return force(peers);
                });
        act(
                60,
                () -> {
                    for (SimMember m : peers) {
                        Stage stage =
                                m.state.attempt().map(SiteState.Attempt::stage).orElse(Stage.JOBS);
                        if (stage == Stage.LINEAGE || stage == Stage.COMMIT) {
                            return isolate(true, m);
                        }
                    }
                    return false;
                });
        act(
                0,
                () -> {
                    world.net.crawls = Set.of();
                    return isolate(false, peers);
                });
    }

    /** P3: the leader is cut off in the moment in which another is elected, which takes over at once. */
    private void leaderAlone() {
        named("leader alone");
        act(
                0,
                () -> {
                    if (!cast()) {
                        return false;
                    }
                    world.net.cut[lead().site().code()][peers[0].site().code()] = true;
                    quiet = true;
                    return true;
                });
        act(
                0,
                () -> {
                    for (SimMember m : peers) {
                        if (m.leads) {
                            quiet = false;
                            return isolate(true, lead());
                        }
                    }
                    return false;
                });
        act(
                120,
                160,
                () -> {
                    for (SimMember m : peers) {
                        if (m.running() && m.state.group().leading()) {
                            return force(m);
                        }
                    }
                    return false;
                });
        act(
                0,
                () -> {
                    cut(false);
                    return isolate(false, lead());
                });
    }

    /**
     * P3: the active site is cut off and forks, and the other one, which hears of its promise, takes over
     * in the lineage that they leave. They come back, protect what is written there, and fork once more.
     */
    private void backFromAFork() {
        named("back from a fork");
        act(
                0,
                () -> {
                    if (!cast()) {
                        return false;
                    }
                    cutOff(own[0].site(), true);
                    world.net.crawls = Set.of(SimShell.OpenHere.class, SiteEvent.PeerReport.class);
                    return true;
                });
        act(
                0,
                () -> {
                    if (lead().leads || !force(own)) {
                        return false;
                    }
                    world.net.cut[own[0].site().code()][peers[0].site().code()] = false;
                    return true;
                });
        act(
                0,
                () -> {
                    for (SimMember m : peers) {
                        boolean heard = m.state.seen().compareTo(m.state.promise()) > 0;
                        if (heard && m.running() && m.state.group().leading()) {
                            return force(m);
                        }
                    }
                    return false;
                });
        act(
                80,
                160,
                () -> {
                    if (!active(peers)) {
                        return false;
                    }
                    cutOff(own[0].site(), false);
                    world.net.crawls = Set.of();
                    return true;
                });
        act(
                0,
                () -> {
                    down(LONG, peers);
                    witnessAlone(true);
                    return true;
                });
        act(0, () -> force(own));
    }

    /**
     * P3: the active site is lost, and lives after all. Then only the witness hears it; or he who is about
     * to take over is stopped for a moment, and hears it then.
     */
    private void comingAndGoing(boolean stopped) {
        named(stopped ? "stopped meanwhile" : "coming and going");
        act(
                100,
                120,
                () -> {
                    if (!cast()) {
                        return false;
                    }
                    world.net.crawls = Set.of(SiteEvent.WitnessAnswered.class);
                    return isolate(true, own);
                });
        act(
                10,
                20,
                () -> {
                    for (SimMember m : peers) {
                        boolean asks =
                                m.state
                                        .attempt()
                                        .filter(a -> a.stage() == Stage.WITNESS)
                                        .isPresent();
                        if (asks) {
                            if (stopped) {
                                m.pausedUntil = world.now + 100 + world.random(45);
                                world.counts.stops++;
                            }
                            return isolate(false, own);
                        }
                    }
                    return false;
                });
        act(
                100,
                () -> {
                    world.net.cut[own[0].site().code()][peers[0].site().code()] = !stopped;
                    return true;
                });
        act(
                0,
                () -> {
                    cut(false);
                    world.net.crawls = Set.of();
                    return true;
                });
    }

    // ---- what they are made of

    private SimMember lead() {
        SimMember m = leader;
        if (m == null) {
            throw new IllegalStateException("no leader yet");
        }
        return m;
    }

    /** Finds who plays; false while nobody serves. */
    private boolean cast() {
        for (SimMember m : world.members) {
            if (m.leads && m.ready && world.serves(m)) {
                leader = m;
                own = of(m.site());
                peers = of(m.site().peer());
                return true;
            }
        }
        return false;
    }

    private SimMember[] of(Site site) {
        return java.util.Arrays.stream(world.members)
                .filter(m -> m.site() == site)
                .toArray(SimMember[]::new);
    }

    private SimMember[] others() {
        return java.util.Arrays.stream(own).filter(m -> m != leader).toArray(SimMember[]::new);
    }

    /** The last one of three at the passive site; nobody where it has fewer. */
    private SimMember[] last() {
        return peers.length == 3 ? new SimMember[] {peers[2]} : new SimMember[] {};
    }

    private boolean isolate(boolean yes, SimMember... which) {
        world.counts.isolations += yes ? which.length : 0;
        for (SimMember m : which) {
            world.net.isolated[m.index] = yes;
        }
        return true;
    }

    private void witnessAlone(boolean yes) {
        for (SimMember m : world.members) {
            if (m.site() == Site.WITNESS) {
                isolate(yes, m);
            }
        }
    }

    private void cut(boolean yes) {
        world.counts.partitions += yes ? 1 : 0;
        world.net.cut[Site.LOCAL.code()][Site.DR.code()] = yes;
        world.net.cut[Site.DR.code()][Site.LOCAL.code()] = yes;
    }

    private void cutOff(Site site, boolean yes) {
        world.counts.partitions += yes ? 1 : 0;
        for (Site other : Site.values()) {
            world.net.cut[site.code()][other.code()] = yes && other != site;
            world.net.cut[other.code()][site.code()] = yes && other != site;
        }
    }

    private void down(long millis, SimMember... which) {
        for (SimMember m : which) {
            world.crash(m);
            m.downUntil = world.now + millis;
        }
    }

    private boolean active(SimMember... which) {
        for (SimMember m : which) {
            if (m.running() && m.state.role() == SiteRole.ACTIVE) {
                return true;
            }
        }
        return false;
    }

    /** Forces one of them that may be; false while none may. */
    private boolean force(SimMember... which) {
        int first = which.length == 0 ? 0 : world.random(which.length);
        for (int i = 0; i < which.length; i++) {
            SimMember m = which[(first + i) % which.length];
            boolean may =
                    m.running()
                            && switch (m.state.role()) {
                                case STANDBY, AWAIT_CONFIRM, FENCED, RECONCILING -> true;
                                case BOOT, ACTIVE, DRAINING, SEALING, PROMOTING, WITNESS -> false;
                            };
            if (may) {
                operator.force(m);
                return true;
            }
        }
        return false;
    }
}
