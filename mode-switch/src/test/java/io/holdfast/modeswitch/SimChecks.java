package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SimLog.Entry;
import io.holdfast.modeswitch.SimLog.Kind;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The invariants of DR-PROTOCOL 3.10, looked at after every event from outside. */
final class SimChecks {
    /** @param planned epoch that it follows, where it is a planned move */
    private record Activation(Epoch epoch, long at, Entry[] log, @Nullable Epoch planned) {
        boolean holds(Entry entry) {
            for (int i = log.length - 1; i >= 0; i--) {
                if (log[i] == entry) {
                    return true;
                }
            }
            return false;
        }
    }

    private record Ack(Entry entry, Epoch epoch) {}

    /**
     * Where CATCHUP began.
     *
     * @param last the newest entry then
     * @param storages what the leader took for each member's storage then; null for one not heard of
     */
    private record CatchUp(Entry last, @Nullable UUID[] storages) {}

    private final Simulation world;
    private final Map<Epoch, Site> owners = new HashMap<>();
    private final List<Activation> activations = new ArrayList<>();
    private final List<Entry> protectedEntries = new ArrayList<>();
    private final List<Ack> acks = new ArrayList<>();
    private final Set<Epoch> forced = new HashSet<>();
    private final Map<Epoch, Set<String>> granted = new HashMap<>();
    private final Epoch[] promised;
    private final long[][] answeredAt;
    private final @Nullable CatchUp[] catchUps;

    SimChecks(Simulation world, int members) {
        this.world = world;
        promised = new Epoch[members];
        answeredAt = new long[members][members];
        catchUps = new CatchUp[members];
    }

    static String show(long encoded) {
        return encoded == 0 ? "nothing" : Epoch.decode(encoded).toString();
    }

    void first(Epoch epoch, Entry opening) {
        owners.put(epoch, epoch.site());
        activations.add(new Activation(epoch, 0, new Entry[] {opening}, null));
    }

    /** A lineage is opened on an operator's command, whatever the other site does. */
    void forced(Epoch epoch) {
        forced.add(epoch);
    }

    boolean wasActivated(Epoch epoch) {
        return owners.containsKey(epoch);
    }

    // ---- I13

    void promises(SimMember m) {
        Epoch before = promised[m.index];
        Epoch now = m.state.promise();
        if (before != null && before.compareTo(now) > 0) {
            throw new SimViolation(
                    "I13: promise of " + m.id + " fell from " + before + " to " + now);
        }
        promised[m.index] = now;
    }

    /** Its storage, and the promise in it, is gone. */
    void wiped(SimMember m) {
        promised[m.index] = null;
    }

    void granted(SimMember m, Epoch epoch) {
        if (m.diskPromise.compareTo(epoch) < 0) {
            throw new SimViolation(
                    "I13: "
                            + m.id
                            + " granted "
                            + epoch
                            + " but has only "
                            + m.diskPromise
                            + " on disk");
        }
        granted.computeIfAbsent(epoch, e -> new HashSet<>()).add(m.id);
    }

    /** On disk, or it was when it was granted: the storage may be lost since. */
    private boolean promised(SimMember o, Epoch epoch) {
        return o.diskPromise.compareTo(epoch) >= 0
                || granted.getOrDefault(epoch, Set.of()).contains(o.id);
    }

    // ---- I1, I2, I7, seal: a site becomes active

    void seeded(SimLog log, Epoch epoch) {
        Epoch last = log.epochAt(log.length);
        if (last != null && epoch.compareTo(last) <= 0 && !world.isPlanned(epoch)) {
            throw new SimViolation("I14: lineage " + epoch + " seeded from " + last);
        }
    }

    void activated(SimMember m, Epoch epoch) {
        Site site = m.site();
        Site owner = owners.putIfAbsent(epoch, site);
        if (owner != null && owner != site) {
            throw new SimViolation("I1: epoch " + epoch + " owned by " + owner + " and " + site);
        }
        if (owner != null) {
            return;
        }
        SimLog log = m.log;
        Entry[] entries =
                log == null ? new Entry[0] : java.util.Arrays.copyOf(log.entries, log.length);
        Epoch parent = planned(epoch, entries) ? world.plannedFrom(epoch) : null;
        activations.add(new Activation(epoch, world.now, entries, parent));
        world.counts.promotions++;
        if (m.state.lineage().equals(epoch)) {
            int durable = 0;
            for (SimMember o : world.members) {
                durable += o.site() == site && promised(o, epoch) ? 1 : 0;
            }
            if (durable < m.config.ownQuorum()) {
                throw new SimViolation(
                        "seal: " + epoch + " active with the durable promise of " + durable);
            }
        }
        int stamp = world.stamp(entries);
        for (Entry entry : protectedEntries) {
            if (world.stamps[entry.id] != stamp) {
                throw new SimViolation(
                        "I2: " + entry + ", once PROTECTED, is not in the log of " + epoch);
            }
        }
        if (parent != null) {
            world.counts.switchovers++;
            if (log != null && SimShell.openJobs(log, log.length) > 0) {
                throw new SimViolation(
                        "I7: the planned move "
                                + parent
                                + " to "
                                + epoch
                                + " left the data of a backup behind");
            }
            for (Ack ack : acks) {
                if (ack.epoch().equals(parent) && world.stamps[ack.entry().id] != stamp) {
                    throw new SimViolation(
                            "I7: the planned move "
                                    + parent
                                    + " to "
                                    + epoch
                                    + " lost "
                                    + ack.entry());
                }
            }
        }
        for (SimMember o : world.members) {
            if (o.site() != site && world.serves(o)) {
                world.counts.forcedBesideActive++;
            }
        }
    }

    /** Whether the EpochChange that counts is that of a planned move: others may have failed. */
    private static boolean planned(Epoch epoch, Entry[] log) {
        for (int i = log.length - 1; i >= 0; i--) {
            if (epoch.equals(log[i].epoch)) {
                return log[i].reason.equals("switchover");
            }
        }
        return false;
    }

    // ---- I2, I7, R1: clients are answered

    void acknowledged(SimMember m, Entry entry, boolean isProtected) {
        Epoch epoch = m.state.epoch();
        boolean first = !entry.acked();
        if (isProtected) {
            entry.ackedProtected = true;
            world.counts.protectedAcks++;
            protectedEntries.add(entry);
        } else {
            entry.ackedUnprotected = true;
            world.counts.unprotectedAcks++;
        }
        if (first) {
            acks.add(new Ack(entry, epoch));
        }
        for (int i = activations.size() - 1; i >= 0; i--) {
            Activation later = activations.get(i);
            if (later.epoch().compareTo(epoch) <= 0) {
                continue;
            }
            if (isProtected && !later.holds(entry)) {
                throw new SimViolation(
                        "I2: "
                                + m.id
                                + " calls "
                                + entry
                                + " PROTECTED in "
                                + epoch
                                + ", and it is not in the log of "
                                + later.epoch());
            }
            if (epoch.equals(later.planned()) && !later.holds(entry)) {
                throw new SimViolation(
                        "I7: "
                                + m.id
                                + " acknowledged "
                                + entry
                                + " in "
                                + epoch
                                + " after the planned move to "
                                + later.epoch());
            }
        }
    }

    /** Before the first UNPROTECTED acknowledgement the record itself says so. */
    void truthful(SimMember m, SimLog log) {
        for (int i = log.applied - 1; i >= 0; i--) {
            if (log.entries[i].kind == Kind.REPLICATION) {
                if (log.entries[i].replication != ReplicationState.ASYNC) {
                    break;
                }
                return;
            }
        }
        throw new SimViolation(
                "R1: " + m.id + " acknowledges UNPROTECTED, and the record does not say ASYNC");
    }

    // ---- R2

    void catchUpBegins(SimMember m) {
        SimLog log = m.log;
        SiteAckBook book = m.book;
        if (log == null || book == null || log.length == 0) {
            catchUps[m.index] = null;
            return;
        }
        UUID[] storages = new UUID[world.members.length];
        for (SimMember o : world.members) {
            storages[o.index] = book.incarnationOf(o.id);
        }
        catchUps[m.index] = new CatchUp(log.entries[log.length - 1], storages);
    }

    /**
     * SYNC: a quorum of the other site has had what stood when CATCHUP began, for stableMillis. A storage
     * that is not the one the leader knew then counts: what it had is not to be seen any more.
     */
    void inSync(SimMember m) {
        CatchUp begun = catchUps[m.index];
        if (begun == null) {
            return;
        }
        int there = 0;
        for (SimMember o : world.members) {
            if (m.config.peerMembers().contains(o.id)) {
                boolean replaced = !o.storage().equals(begun.storages()[o.index]);
                there += replaced || holds(o, begun.last()) ? 1 : 0;
            }
        }
        if (there < m.config.peerQuorum()) {
            throw new SimViolation(
                    "R2: "
                            + m.id
                            + " is in SYNC, and "
                            + there
                            + " members of the other site have "
                            + begun.last()
                            + ", which stood when CATCHUP began");
        }
        // Its clock may be a quarter fast.
        if (m.levelAt >= 0 && world.now - m.levelAt < m.config.stableMillis() * 0.7) {
            throw new SimViolation(
                    "stable: "
                            + m.id
                            + " is in SYNC "
                            + (world.now - m.levelAt)
                            + " ms after the other site drew level");
        }
    }

    // ---- I8

    /** What is shown as protected is on the disks of a quorum of the other site. */
    void shown(SimMember m, SimLog log, SiteAckBook book, int shown) {
        Entry last = log.entries[shown - 1];
        int there = 0;
        for (SimMember o : world.members) {
            if (!m.config.peerMembers().contains(o.id)) {
                continue;
            }
            boolean undetected = !o.storage().equals(book.incarnationOf(o.id));
            there += undetected || holds(o, last) ? 1 : 0;
        }
        if (there < m.config.peerQuorum()) {
            throw new SimViolation(
                    "I8: "
                            + m.id
                            + " shows "
                            + shown
                            + " entries as PROTECTED, and "
                            + there
                            + " members of the other site have them");
        }
    }

    /** Whether a member has it on disk, in a log of any lineage. */
    private static boolean holds(SimMember o, Entry entry) {
        if (o.log != null && o.log.holds(entry, o.log.durable)) {
            return true;
        }
        for (SimLog log : o.closed) {
            if (log.holds(entry, log.durable)) {
                return true;
            }
        }
        return false;
    }

    // ---- I5

    /** A member drops the logs of lineages that it has left. */
    void dropClosed(SimMember m) {
        List<SimLog> dropped = new ArrayList<>(m.closed);
        m.closed.clear();
        for (SimLog log : dropped) {
            for (int i = 0; i < log.durable; i++) {
                Entry entry = log.entries[i];
                if (entry.acked() && !entry.reported && !onAnyDisk(entry)) {
                    throw new SimViolation(
                            "I5: "
                                    + m.id
                                    + " dropped "
                                    + entry
                                    + ", which is acknowledged and in no log or report");
                }
            }
        }
    }

    private boolean onAnyDisk(Entry entry) {
        for (SimMember o : world.members) {
            if (holds(o, entry)) {
                return true;
            }
        }
        return false;
    }

    /** After everything has come home. */
    void nothingVanished(SimMember leader) {
        SimLog log = leader.log;
        if (log == null) {
            return;
        }
        int stamp = world.stamp(java.util.Arrays.copyOf(log.entries, log.commit));
        for (Ack ack : acks) {
            Entry entry = ack.entry();
            if (world.stamps[entry.id] == stamp || entry.reported) {
                continue;
            }
            boolean burnt = !entry.ackedProtected && world.counts.wipes > 0 && !onAnyDisk(entry);
            if (!burnt) {
                throw new SimViolation(
                        "I5: "
                                + entry
                                + ", acknowledged in "
                                + ack.epoch()
                                + ", is neither in the newest log nor reported");
            }
        }
    }

    // ---- I6

    void answered(SimMember m, SimMember from, long sentAt) {
        answeredAt[m.index][from.index] = sentAt;
    }

    void booted(SimMember m) {
        java.util.Arrays.fill(answeredAt[m.index], Long.MAX_VALUE);
    }

    /** AWAIT_CONFIRM became ACTIVE: no higher epoch was active before it asked, or was answered. */
    void resumed(SimMember m) {
        world.counts.confirmations++;
        boolean byRaft = m.state.group().stretched();
        long oldest = Long.MAX_VALUE;
        for (long at : answeredAt[m.index]) {
            oldest = Math.min(oldest, at);
        }
        oldest = Math.max(m.bootedAt, oldest == Long.MAX_VALUE ? m.bootedAt : oldest);
        for (Activation other : activations) {
            boolean higher = other.epoch().compareTo(m.state.epoch()) > 0;
            // A forced lineage without the witness is one that Raft's majority cannot know (P3).
            boolean unknowable = byRaft && forced.contains(other.epoch());
            if (higher && !unknowable && other.at() < (byRaft ? world.now : oldest)) {
                throw new SimViolation(
                        "I6: "
                                + m.id
                                + " became ACTIVE again in "
                                + m.state.epoch()
                                + " although "
                                + other.epoch()
                                + " was active");
            }
        }
    }

    // ---- I4, I6: who commands

    void commands(SimMember m) {
        if (m.state.epoch().compareTo(m.state.promise()) < 0) {
            throw new SimViolation(
                    "I6: "
                            + m.id
                            + " commands in "
                            + m.state.epoch()
                            + " with promise "
                            + m.state.promise());
        }
        for (SimMember o : world.members) {
            if (o.site() != m.site() && world.serves(o)) {
                Epoch newest = Draft.max(o.state.epoch(), m.state.epoch());
                Epoch lineage = Draft.max(o.state.lineage(), m.state.lineage());
                if (!forced.contains(newest) && !forced.contains(lineage)) {
                    throw new SimViolation(
                            "I4: "
                                    + m.id
                                    + " commands in "
                                    + m.state.epoch()
                                    + " and "
                                    + o.id
                                    + " in "
                                    + o.state.epoch()
                                    + ", and nobody forced it");
                }
            }
        }
    }

    void handedOver(SimMember m, Epoch epoch) {
        for (SimMember o : world.members) {
            if (o.site() == m.site()
                    && o.admitted
                    && o.diskRole == SiteRole.ACTIVE
                    && o.diskPromise.compareTo(epoch) < 0) {
                throw new SimViolation(
                        "handover: "
                                + o.id
                                + " could be confirmed in "
                                + o.diskEpoch
                                + " after the EpochChange "
                                + epoch);
            }
        }
    }

    // ---- automatic failover (3.6)

    void automatic(SimMember m, SimLog log) {
        Profile profile = m.config.profile();
        if (profile.requires() == Profile.Requires.PROTECTED_BACKUPS
                && !SimShell.backupsProtected(log, log.applied)) {
            throw new SimViolation(
                    "policy: " + m.id + " takes over by itself, and backups are not protected");
        }
        SimMember witness = world.member(profile.witness());
        if (witness.agreedAt[m.index] < m.attemptSince) {
            throw new SimViolation(
                    "witness: " + m.id + " takes over by itself without the witness's word");
        }
        long heard = Long.MIN_VALUE;
        for (SimMember o : world.members) {
            if (m.config.peerMembers().contains(o.id)) {
                heard = Math.max(heard, world.heardAt[m.index][o.index]);
            }
        }
        if (world.now - Math.max(heard, m.bootedAt) < profile.downMillis() * 0.7) {
            throw new SimViolation(
                    "down: "
                            + m.id
                            + " takes over by itself, and heard of the other site "
                            + (world.now - heard)
                            + " ms ago");
        }
    }

    @Nullable Epoch newest() {
        Epoch newest = null;
        for (Activation a : activations) {
            newest = newest == null ? a.epoch() : Draft.max(newest, a.epoch());
        }
        return newest;
    }
}
