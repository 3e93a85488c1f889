package io.holdfast.modeswitch;

import io.holdfast.modeswitch.SimLog.Entry;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A member: its disk, its machine, and its part in Raft. */
final class SimMember {
    final int index;
    final SiteConfig config;
    final String id;
    final double clockRate;

    // ---- on disk
    SiteRole diskRole = SiteRole.STANDBY;
    Epoch diskEpoch;
    Epoch diskLineage;
    Epoch diskPromise;
    String diskPromisedTo = "";
    @Nullable SimLog log;
    final List<SimLog> closed = new ArrayList<>();
    int incarnation;
    boolean admitted = true;

    // ---- lost in a crash
    SiteState state;
    boolean up;
    int life;
    long bootedAt;
    long tickedAt;
    long pausedUntil;
    long downUntil;
    Epoch gate;
    int ticks;
    boolean shapeTold;

    // Raft
    boolean leads;
    boolean ready;
    long leadTerm;
    int startIndex;
    final int[] match;
    final int[] matchIncarnation;
    final long[] ackedSend;
    int leader = -1;
    long heardLeaderAt;

    // The active site's leader
    @Nullable SiteAckBook book;
    final long[] siteAckAt;
    int protectedAcked;
    int unprotectedAcked;
    int barrier = -1;
    long drainSince;
    int catchUp = -1;

    /** When the other site had what it waited for in CATCHUP; -1 before. */
    long levelAt = -1;

    @Nullable Entry pendingReplication;
    @Nullable ReplicationState wantedReplication;
    @Nullable Entry pendingEpoch;
    @Nullable Entry pendingPrepare;

    /** Leads an old term: the voters that it knows. A newer leader's changes are not its own. */
    int @Nullable [] oldVoters;

    final int[] joinBarrier;
    final int[] joinIncarnation;

    // A promotion
    Entry[] seed = new Entry[0];
    long attemptSince;

    /** At the witness: when it last said of each candidate that the other site is lost, too. */
    final long[] agreedAt;

    long acceptedAnswersFrom;

    SimMember(int index, SiteConfig config, double clockRate, int members, Epoch first) {
        this.index = index;
        this.config = config;
        this.id = config.self();
        this.clockRate = clockRate;
        diskEpoch = first;
        diskLineage = first;
        diskPromise = first;
        gate = first;
        state = SiteState.booting(config);
        match = new int[members];
        matchIncarnation = new int[members];
        ackedSend = new long[members];
        siteAckAt = new long[members];
        joinBarrier = new int[members];
        joinIncarnation = new int[members];
        agreedAt = new long[members];
        java.util.Arrays.fill(agreedAt, Long.MIN_VALUE / 2);
    }

    Site site() {
        return config.site();
    }

    boolean running() {
        return up && admitted;
    }

    UUID storage() {
        return new UUID(index, incarnation);
    }

    /** What a crash takes. */
    void forget() {
        up = false;
        life++;
        leads = false;
        ready = false;
        leader = -1;
        dropLead();
        seed = new Entry[0];
        if (log != null) {
            log.truncate(log.durable);
            log.commit = 0;
            log.applied = 0;
        }
    }

    void dropLead() {
        leads = false;
        ready = false;
        book = null;
        barrier = -1;
        catchUp = -1;
        pendingReplication = null;
        pendingEpoch = null;
        pendingPrepare = null;
        oldVoters = null;
    }
}
