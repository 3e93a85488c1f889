package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SimLog.Kind;
import io.holdfast.modeswitch.SimLog.SimGroup;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Everything that happens to the cluster: faults, operators at the worst time, clients. */
final class SimOperator {
    private static final long PATIENCE_MILLIS = 250;

    private final Simulation world;
    private final double crashRate;
    private final double wipeRate;
    private final double forceRate;
    private final int agentRate;
    private final SimPlan plan;
    private long servedAt;
    private boolean commanded;

    /** Of its own, so that what is refused changes no run. */
    private final SplittableRandom impatience;

    SimOperator(Simulation world, SplittableRandom impatience) {
        this.world = world;
        this.impatience = impatience;
        crashRate = world.random(3) == 0 ? 0 : 0.003 + world.random(20) / 1000.0;
        wipeRate = world.random(2) == 0 ? 0 : 0.003 + world.random(8) / 1000.0;
        forceRate = world.random(4) == 0 ? 0 : 0.001 + world.random(10) / 1000.0;
        agentRate = world.random(4) == 0 ? 20 : 2;
        world.net.loss = world.random(3) == 0 ? 0 : world.random(30) / 100.0;
        world.net.slow = world.random(4) == 0;
        plan = new SimPlan(world, this);
    }

    /** One step of chaos. */
    void happen() {
        for (SimMember m : world.members) {
            if (world.serves(m)) {
                servedAt = world.now;
            }
        }
        plan.step();
        ask();
        if (world.random(400) < agentRate) {
            world.counts.agentCrashes++;
            world.agents[world.random(world.agents.length)].crash();
        }
        SimMember m = world.members[world.random(world.members.length)];
        int dice = world.random(plan.alone() ? 900 : 1000);
        if (dice < 780) {
            if (m.up) {
                world.tick(m);
            } else if (world.random(4) == 0) {
                world.boot(m);
            }
        } else if (dice < 900) {
            write(m);
        } else if (dice < 912) {
            cut();
        } else if (dice < 920) {
            world.net.isolated[m.index] = !world.net.isolated[m.index];
            world.counts.isolations += world.net.isolated[m.index] ? 1 : 0;
        } else if (dice < 935) {
            if (m.state.role() == SiteRole.ACTIVE) {
                switchover(m);
            }
        } else if (dice < 945) {
            failoverWhenNobodyIsActive();
        } else if (dice < 950) {
            world.net.heal();
            world.net.loss = 0;
        } else if (dice < 955) {
            m.pausedUntil = world.now + world.random(600);
            world.counts.stops++;
        } else {
            if (world.chance(crashRate * 8)) {
                world.crash(m);
            }
            if (world.chance(crashRate)) {
                siteDown(m.site());
            }
            if (world.chance(wipeRate * 8)) {
                wipe(m);
            }
            if (world.chance(wipeRate * 2)) {
                burn(m.site());
            }
            if (world.chance(forceRate * 8) && m.running()) {
                force(m);
            }
        }
    }

    private void cut() {
        if (world.random(3) == 0) {
            world.net.heal();
            return;
        }
        int from = 1 + world.random(world.profile.witness ? 3 : 2);
        int to = 1 + world.random(world.profile.witness ? 3 : 2);
        if (from != to) {
            world.net.cut[from][to] = true;
            if (world.random(3) != 0) {
                world.net.cut[to][from] = true;
            }
            world.counts.partitions++;
            world.trace("cut %d-%d", from, to);
        }
    }

    // ---- clients and agents

    private void write(SimMember any) {
        if (plan.quiet) {
            return;
        }
        for (int i = 0; i < world.members.length; i++) {
            SimMember m = world.members[(any.index + i) % world.members.length];
            if (world.serves(m) && m.leads && m.ready && m.log != null) {
                int dice = world.random(8);
                Kind kind = dice < 5 ? Kind.WRITE : dice == 5 ? Kind.JOB : Kind.JOB_PROTECTED;
                if (m.state.role() == SiteRole.DRAINING || m.log.draining()) {
                    kind = Kind.JOB_PROTECTED;
                }
                if (kind == Kind.JOB_PROTECTED && SimShell.openJobs(m.log, m.log.length) <= 0) {
                    kind = Kind.WRITE;
                }
                world.raft.append(m, world.entry(kind, m.log.group, m.leadTerm));
                return;
            }
        }
    }

    // ---- faults

    private void siteDown(Site site) {
        for (SimMember m : world.members) {
            if (m.site() == site) {
                world.crash(m);
            }
        }
    }

    private boolean wholeElsewhere(Site site) {
        for (SimMember m : world.members) {
            if (m.site() != site && !m.admitted) {
                return false;
            }
        }
        return true;
    }

    /** Disks are lost one disaster at a time: Raft's newest group keeps those of a majority. */
    private boolean majorityWithout(Predicate<SimMember> lost) {
        SimGroup newest = null;
        for (SimMember m : world.members) {
            SimGroup group = m.log == null ? null : m.log.group;
            if (group != null && (newest == null || group.fork.compareTo(newest.fork) > 0)) {
                newest = group;
            }
        }
        int left = 0;
        for (SimMember m : world.members) {
            boolean votes = newest != null && newest.voter[m.index] == m.incarnation;
            left += votes && !lost.test(m) ? 1 : 0;
        }
        return newest != null && left >= newest.majority();
    }

    void wipe(SimMember m) {
        if (m.site() == Site.WITNESS || !m.admitted || world.burnt[m.site().peer().code()]) {
            return;
        }
        // At most so many at a time that a quorum of each site is whole.
        int may = m.config.ownMembers().size() - m.config.ownQuorum();
        if (may == 0) {
            burn(m.site());
        } else if (world.unadmitted(m.site()) < may && majorityWithout(o -> o == m)) {
            world.wipe(m);
        }
    }

    /** A site loses all its disks, when the other places know its epoch and are whole. */
    private void burn(Site site) {
        if (site == Site.WITNESS
                || world.unadmitted(site) > 0
                || !wholeElsewhere(site)
                || !majorityWithout(m -> m.site() == site)) {
            return;
        }
        Epoch known = new Epoch(0, Site.LOCAL);
        Epoch own = known;
        for (SimMember m : world.members) {
            if (m.site() == site) {
                own = Draft.max(own, m.diskPromise);
            } else {
                known = Draft.max(known, m.diskPromise);
            }
        }
        if (own.compareTo(known) > 0) {
            return;
        }
        world.counts.burntSites++;
        world.burnt[site.code()] = true;
        for (SimMember m : world.members) {
            if (m.site() == site) {
                world.wipe(m);
            }
        }
    }

    // ---- commands

    void switchover(SimMember m) {
        List<String> peers = List.copyOf(m.config.peerMembers());
        world.step(m, switchover(m, peers.get(world.random(peers.size()))));
    }

    private SiteEvent switchover(SimMember m, String coordinator) {
        Set<String> silent = new TreeSet<>();
        for (SimMember o : world.members) {
            if (o.site() == m.site() && !o.running()) {
                silent.add(o.id);
            }
        }
        return new SiteEvent.OperatorSwitchover(coordinator, true, silent);
    }

    private void failoverWhenNobodyIsActive() {
        if (world.now - servedAt < PATIENCE_MILLIS) {
            return;
        }
        SimMember m = world.members[world.random(world.members.length)];
        if (m.running()) {
            command(m, world.random(2) == 0);
        }
    }

    void force(SimMember m) {
        command(m, true);
    }

    private List<SiteEvent.Sight> sights(SimMember m) {
        List<SiteEvent.Sight> sights = new ArrayList<>();
        for (SimMember o : world.members) {
            if (o.site() != m.site() && o.running() && world.net.bothWays(m, o)) {
                sights.add(new SiteEvent.Sight(o.id, o.state.role(), o.state.epoch()));
            }
        }
        return sights;
    }

    private void command(SimMember m, boolean force) {
        SiteRole before = m.state.role();
        world.counts.forcedFailovers += force ? 1 : 0;
        failover(m, new SiteEvent.OperatorFailover(force, sights(m)));
        if (m.state.role() == SiteRole.SEALING
                && (before == SiteRole.FENCED || before == SiteRole.RECONCILING)) {
            world.counts.fencedForces++;
        }
    }

    private void failover(SimMember m, SiteEvent.OperatorFailover command) {
        commanded = answersFor(m, command);
        world.step(m, command);
        commanded = false;
    }

    /** Whether two active sites are on the operator: they insisted, or nobody was to be seen or heard of. */
    private static boolean answersFor(SimMember m, SiteEvent.OperatorFailover command) {
        SiteState s = m.state;
        boolean unaware = s.role() == SiteRole.STANDBY || s.role() == SiteRole.AWAIT_CONFIRM;
        boolean alone = !s.group().stretched() || s.group().leader().isEmpty();
        return command.force() || (command.sights().isEmpty() && unaware && alone);
    }

    /** Told before a new attempt's effects are performed. */
    boolean commands() {
        return commanded;
    }

    /**
     * Now and then an operator asks for what the whole protocol refuses: a failover without force, or a
     * planned move too early. A command that is refused leaves nothing behind, and which one is asked for
     * is no part of the run's own chance; so a seed with all rules is the same run with or without it.
     */
    private void ask() {
        if (impatience.nextInt(24) != 0) {
            return;
        }
        SimMember m = world.members[impatience.nextInt(world.members.length)];
        boolean moves = impatience.nextInt(4) == 0;
        if (!m.running()) {
            return;
        }
        SiteEvent.OperatorFailover failover = new SiteEvent.OperatorFailover(false, sights(m));
        List<String> peers = List.copyOf(m.config.peerMembers());
        SiteEvent asked = moves ? switchover(m, peers.get(0)) : failover;
        if (!refused(m, asked, Rules.ALL)) {
            return;
        }
        world.counts.refusedCommands++;
        if (refused(m, asked, world.rules)) {
            return;
        }
        world.trace(m, "takes what it should refuse: %s", asked);
        if (moves) {
            world.step(m, asked);
        } else {
            failover(m, failover);
        }
    }

    /** Whether nothing comes of it but the refusal. */
    private static boolean refused(SimMember m, SiteEvent asked, Rules rules) {
        Decision decision = SiteMachine.step(m.state, asked, rules);
        return decision.state().equals(m.state)
                && decision.effects().size() == 1
                && decision.effects().getFirst() instanceof SiteEffect.Refuse;
    }

    // ---- coming to rest

    /** What a sensible operator does when everything is up again and nobody is active. */
    void rescue(int attempt) {
        List<SimMember> may = new ArrayList<>();
        for (SimMember m : world.members) {
            if (m.site() != Site.WITNESS && m.running() && m.leads && m.state.group().stretched()) {
                may.add(m);
            }
        }
        SiteRole[] order = {
            SiteRole.STANDBY, SiteRole.AWAIT_CONFIRM, SiteRole.FENCED, SiteRole.DRAINING
        };
        for (SiteRole role : order) {
            for (SimMember m : world.members) {
                if (m.running() && m.state.role() == role && !may.contains(m)) {
                    may.add(m);
                }
            }
        }
        if (may.isEmpty()) {
            throw new SimViolation("L1: nobody may be commanded: " + world.roles());
        }
        world.counts.restsByCommand++;
        command(may.get(attempt % may.size()), true);
    }
}
