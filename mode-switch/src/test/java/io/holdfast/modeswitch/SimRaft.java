package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SimLog.Entry;
import io.holdfast.modeswitch.SimLog.Kind;
import io.holdfast.modeswitch.SimLog.SimGroup;
import io.holdfast.standard.Epoch;
import org.jspecify.annotations.Nullable;

/**
 * Raft as the protocol assumes it: votes are an oracle that obeys the vote rule, configurations are
 * global, but logs are replicated by messages, fsynced late, and truncated where they conflict.
 */
final class SimRaft {
    private static final long ELECTION_MILLIS = 150;

    /** Later than the lease ends: what stops a leader that is cut off is its lease. */
    private static final long STEP_DOWN_MILLIS = 600;

    private static final int BATCH = 8;
    private static final Entry[] NOTHING = new Entry[0];

    record Append(
            SimGroup group,
            long term,
            int prev,
            @Nullable Entry prevEntry,
            Entry[] entries,
            int commit,
            long sent) {}

    record Appended(
            SimGroup group,
            long term,
            boolean ok,
            int match,
            int incarnation,
            long sent,
            long memberTerm) {}

    private final Simulation world;
    private final int[][] next;

    SimRaft(Simulation world, int members) {
        this.world = world;
        next = new int[members][members];
    }

    private static boolean in(SimMember m, SimGroup group) {
        return m.log != null && m.log.group == group;
    }

    private static boolean votes(SimMember m, SimGroup group) {
        return m.admitted && in(m, group) && group.voter[m.index] == m.incarnation;
    }

    private static long clock(SimMember m, long now) {
        return (long) (now * m.clockRate);
    }

    // ---- time

    void tick(SimMember m) {
        SimLog log = m.log;
        if (log == null) {
            return;
        }
        log.durable = log.length;
        if (!m.leads) {
            if (m.running()
                    && world.now - m.heardLeaderAt > ELECTION_MILLIS
                    && votes(m, log.group)
                    && log.whole()
                    && (log.group.stretched || log.group.fork.site() == m.site())) {
                elect(m, log);
            }
            return;
        }
        advance(m);
        if (!m.leads) {
            return;
        }
        long majority = majoritySent(m);
        if (clock(m, world.now) - majority > STEP_DOWN_MILLIS) {
            stepDown(m, -1);
            return;
        }
        if (m.ready && m.config.profile().isP3()) {
            world.step(m, new SiteEvent.RaftMajority(m.leadTerm, clock(m, world.now) - majority));
        }
        if (!m.leads || m.log != log) {
            return;
        }
        for (SimMember o : world.members) {
            if (o != m) {
                if (m.ready && world.serves(m) && o.up && world.net.bothWays(m, o)) {
                    adopt(m, o, log.group);
                }
                if (in(o, log.group)) {
                    sendAppend(m, o, log);
                }
            }
        }
    }

    /** The latest moment, on the leader's clock, since which a majority has answered. */
    private long majoritySent(SimMember m) {
        int[] voter = voters(m);
        long[] sent = world.longs;
        int count = 0;
        for (int i = 0; i < voter.length; i++) {
            if (voter[i] >= 0) {
                sent[count++] = i == m.index ? clock(m, world.now) : m.ackedSend[i];
            }
        }
        return kthLargest(sent, count, SimGroup.majority(voter));
    }

    static long kthLargest(long[] values, int count, int k) {
        for (int i = 1; i < count; i++) {
            long v = values[i];
            int j = i - 1;
            while (j >= 0 && values[j] < v) {
                values[j + 1] = values[j];
                j--;
            }
            values[j + 1] = v;
        }
        return values[k - 1];
    }

    private static int[] voters(SimMember m) {
        return m.oldVoters == null ? log(m).group.voter : m.oldVoters;
    }

    private static SimLog log(SimMember m) {
        SimLog log = m.log;
        if (log == null) {
            throw new IllegalStateException(m.id + " has no log");
        }
        return log;
    }

    // ---- elections

    private void elect(SimMember m, SimLog log) {
        if (!world.chance(0.5)) {
            return;
        }
        SimGroup group = log.group;
        int votes = 0;
        for (SimMember v : world.members) {
            votes += v == m || grants(v, m, log) ? 1 : 0;
        }
        if (votes < group.majority()) {
            return;
        }
        long term = ++group.terms;
        for (SimMember old : world.members) {
            if (old.leads && in(old, group) && old.oldVoters == null) {
                old.oldVoters = group.voter.clone();
            }
        }
        for (SimMember v : world.members) {
            if (v != m && grants(v, m, log)) {
                log(v).term = term;
                if (v.leads) {
                    stepDown(v, m.index);
                }
            }
        }
        lead(m, term);
    }

    private boolean grants(SimMember v, SimMember m, SimLog log) {
        if (!v.running()
                || v.pausedUntil > world.now
                || !votes(v, log.group)
                || !world.net.bothWays(v, m)) {
            return false;
        }
        SimLog theirs = log(v);
        return theirs.lastTerm() < log.lastTerm()
                || (theirs.lastTerm() == log.lastTerm() && theirs.length <= log.length);
    }

    void lead(SimMember m, long term) {
        SimLog log = log(m);
        world.counts.elections++;
        world.trace(m, "leads %s in term %d", log.group.fork, term);
        m.dropLead();
        m.leads = true;
        m.leadTerm = term;
        m.leader = m.index;
        m.heardLeaderAt = world.now;
        log.term = term;
        for (int i = 0; i < world.members.length; i++) {
            m.match[i] = 0;
            m.matchIncarnation[i] = -1;
            m.ackedSend[i] = clock(m, world.now);
            m.siteAckAt[i] = Long.MIN_VALUE / 2;
            m.joinIncarnation[i] = -1;
            next[m.index][i] = log.length;
        }
        m.protectedAcked = 0;
        m.unprotectedAcked = log.length;
        append(m, world.entry(Kind.START, log.group, term));
        m.startIndex = log.length;
        advance(m);
    }

    void stepDown(SimMember m, int leader) {
        if (!m.leads) {
            return;
        }
        world.trace(m, "leads no more");
        m.dropLead();
        m.leader = leader;
        m.heardLeaderAt = world.now;
        if (m.config.profile().isP3() && m.running()) {
            world.step(m, new SiteEvent.RaftFollowing(leader < 0 ? "" : world.members[leader].id));
        }
    }

    /** The shell performs PreferSite: the lead goes to a member of that site that is level. */
    void transfer(SimMember m, io.holdfast.standard.Site site) {
        SimLog log = m.log;
        if (!m.leads || log == null) {
            return;
        }
        for (SimMember o : world.members) {
            if (o.site() == site
                    && o.running()
                    && votes(o, log.group)
                    && world.net.bothWays(m, o)
                    && log(o).length == log.length) {
                long before = log.group.terms;
                elect(o, log(o));
                if (log.group.terms != before) {
                    return;
                }
            }
        }
    }

    // ---- replication

    int append(SimMember m, Entry entry) {
        SimLog log = log(m);
        if (entry.kind == Kind.EPOCH) {
            Epoch last = log.epochAt(log.length);
            if (last != null && entry.epoch != null && entry.epoch.compareTo(last) <= 0) {
                throw new SimViolation("I14: EpochChange " + entry.epoch + " after " + last);
            }
        }
        log.append(entry);
        if (world.calm || world.chance(0.7)) {
            log.durable = log.length;
        }
        return log.length;
    }

    private void sendAppend(SimMember m, SimMember o, SimLog log) {
        int from = Math.min(next[m.index][o.index], log.length);
        int count = Math.min(log.length - from, world.calm ? 64 : BATCH);
        Entry[] entries = NOTHING;
        if (count > 0) {
            entries = new Entry[count];
            System.arraycopy(log.entries, from, entries, 0, count);
        }
        world.net.send(
                m,
                o,
                new Append(
                        log.group,
                        m.leadTerm,
                        from,
                        from == 0 ? null : log.entries[from - 1],
                        entries,
                        log.commit,
                        clock(m, world.now)));
    }

    void appendCame(SimMember m, int from, Append a) {
        SimLog log = m.log;
        if (log == null || log.group != a.group()) {
            return;
        }
        if (a.term() < log.term) {
            reply(m, from, a, false, 0, log);
            return;
        }
        log.term = a.term();
        if (m.leads && m.leadTerm != a.term()) {
            stepDown(m, from);
        }
        if (m.leader != from) {
            m.leader = from;
            if (m.config.profile().isP3() && m.running()) {
                world.step(m, new SiteEvent.RaftFollowing(world.members[from].id));
            }
        }
        m.heardLeaderAt = world.now;
        if (m.log != log) {
            return;
        }
        if (a.prev() > log.length || (a.prev() > 0 && log.entries[a.prev() - 1] != a.prevEntry())) {
            reply(m, from, a, false, Math.max(0, Math.min(log.length, a.prev() - 4)), log);
            return;
        }
        int at = a.prev();
        for (Entry entry : a.entries()) {
            if (at < log.length && log.entries[at] != entry) {
                for (int i = at; i < log.length; i++) {
                    // A late message of an older leader may do so where the entry was not needed.
                    if (log.entries[i].acked()
                            && log.entries[i].group == log.group
                            && a.term() == log.group.terms) {
                        throw new SimViolation(
                                "Raft: " + m.id + " truncates acknowledged " + log.entries[i]);
                    }
                }
                log.truncate(at);
            }
            if (at == log.length) {
                log.append(entry);
            }
            at++;
        }
        if (world.calm || world.chance(0.8)) {
            log.durable = log.length;
        }
        int known = Math.min(at, log.durable);
        log.commit = Math.max(log.commit, Math.min(a.commit(), known));
        reply(m, from, a, true, known, log);
        apply(m, log);
    }

    private void reply(SimMember m, int to, Append a, boolean ok, int match, SimLog log) {
        world.net.send(
                m,
                world.members[to],
                new Appended(a.group(), a.term(), ok, match, m.incarnation, a.sent(), log.term));
    }

    void appendedCame(SimMember m, int from, Appended r) {
        SimLog log = m.log;
        if (!m.leads || log == null || log.group != r.group()) {
            return;
        }
        if (r.memberTerm() > m.leadTerm) {
            log.term = r.memberTerm();
            stepDown(m, -1);
            return;
        }
        if (r.term() != m.leadTerm) {
            return;
        }
        if (m.matchIncarnation[from] != r.incarnation()) {
            if (r.incarnation() < m.matchIncarnation[from]) {
                return;
            }
            m.matchIncarnation[from] = r.incarnation();
            m.match[from] = 0;
            next[m.index][from] = 0;
        }
        m.ackedSend[from] = Math.max(m.ackedSend[from], r.sent());
        if (r.ok()) {
            m.match[from] = Math.max(m.match[from], r.match());
            next[m.index][from] = m.match[from];
            advance(m);
        } else {
            next[m.index][from] = Math.max(m.match[from], r.match());
        }
    }

    /** The leader's commit index, and what follows from it. */
    private void advance(SimMember m) {
        SimLog log = log(m);
        SimGroup group = log.group;
        int[] voter = voters(m);
        long[] match = world.longs;
        int count = 0;
        for (int i = 0; i < voter.length; i++) {
            if (voter[i] >= 0) {
                match[count++] =
                        i == m.index
                                ? log.durable
                                : m.matchIncarnation[i] == voter[i] ? m.match[i] : 0;
            }
        }
        int commit = (int) kthLargest(match, count, SimGroup.majority(voter));
        if (commit > log.commit
                && log.entries[commit - 1].group == group
                && log.entries[commit - 1].term == m.leadTerm) {
            log.commit = commit;
            apply(m, log);
        }
        if (m.leads && m.log == log && !m.ready && log.applied >= m.startIndex) {
            m.ready = true;
            world.shell.tellShape(m);
            world.step(m, new SiteEvent.RaftLeading(m.leadTerm));
        }
        if (m.leads && m.log == log && m.ready) {
            world.shell.committed(m, log);
        }
    }

    private void apply(SimMember m, SimLog log) {
        while (m.log == log && log.applied < log.commit) {
            Entry entry = log.entries[log.applied++];
            Epoch epoch = entry.epoch;
            if (entry.kind == Kind.EPOCH
                    && epoch != null
                    && log.applied > log.group.seedLength
                    && m.running()) {
                if (log.group.stretched) {
                    world.shell.tellShape(m);
                    world.shell.tellEpoch(m);
                } else if (entry.reason.equals("switchover")) {
                    world.step(m, new SiteEvent.SwitchoverApplied(epoch, entry.coordinator));
                }
            }
        }
    }

    // ---- membership

    /** The active site adopts: empty storages, and members that are level as voters. */
    private void adopt(SimMember m, SimMember o, SimGroup group) {
        if (!o.admitted && (o.log == null || o.log.group.fork.compareTo(group.fork) < 0)) {
            o.log = new SimLog(group);
            o.diskPromise = m.state.epoch();
            o.diskPromisedTo = "";
            o.gate = group.fork;
            if (!world.rules.has(Rule.READ_ADMITTED)) {
                world.shell.admitted(o, m.state.epoch(), m.state.lineage());
            }
            return;
        }
        // A change of configuration is an entry: an old leader cannot commit one any more.
        boolean newest = group.terms == m.leadTerm;
        if (!newest || !in(o, group) || group.voter[o.index] == o.incarnation || !o.admitted) {
            return;
        }
        boolean level =
                m.matchIncarnation[o.index] == o.incarnation
                        && m.match[o.index] >= log(m).commit
                        && m.match[o.index] >= group.seedLength;
        if (!level) {
            return;
        }
        if (group.voter[o.index] >= 0 || o.site() == m.site()) {
            group.voter[o.index] = o.incarnation;
        } else if (!m.config.profile().isP3()) {
            int active = 0;
            int passive = 0;
            for (SimMember p : world.members) {
                if (group.voter[p.index] >= 0) {
                    active += p.site() == m.site() ? 1 : 0;
                    passive += p.site() == m.site() ? 0 : 1;
                }
            }
            if (Layout.passiveMayVote(world.profile.size, active, passive)) {
                group.voter[o.index] = o.incarnation;
            }
        } else {
            stretch(m, group);
        }
    }

    /** All places at once, so that no place has the majority on the way. */
    private void stretch(SimMember m, SimGroup group) {
        for (SimMember o : world.members) {
            boolean level =
                    o == m
                            || (o.admitted
                                    && in(o, group)
                                    && m.matchIncarnation[o.index] == o.incarnation
                                    && m.match[o.index] >= log(m).commit);
            if (!level) {
                return;
            }
        }
        for (SimMember o : world.members) {
            group.voter[o.index] = o.incarnation;
            m.ackedSend[o.index] = Math.max(m.ackedSend[o.index], 0);
        }
        group.stretched = true;
        world.trace(m, "stretches %s", group.fork);
        world.shell.tellShape(m);
    }
}
