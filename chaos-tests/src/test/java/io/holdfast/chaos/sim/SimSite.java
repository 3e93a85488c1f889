package io.holdfast.chaos.sim;

import io.holdfast.catalog.CatalogChange;
import io.holdfast.catalog.OutboxApply;
import io.holdfast.catalog.OutboxEntry;
import io.holdfast.modeswitch.ReplicationState;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.modeswitch.SiteState;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntPredicate;

/** One site: a server with its log, a catalog with its outbox, a store, and the shipping to the other. */
final class SimSite {
    /** What a log holds. */
    enum Kind {
        OPENED,
        ENDED,
        PROTECTED,
        EXPIRED,
        HELD,
        CHANGE,
        RECONCILED,
        SYNC
    }

    /**
     * An entry of the log; its identity is the object.
     *
     * @param kind what it says
     * @param piece of which piece; -1 for none
     * @param origin where it was committed
     * @param epoch in which
     * @param at true time, milliseconds
     * @param sites where a piece expires: bit 0 local, bit 1 DR
     * @param forced whether a CHANGE was forced
     * @param sync whether a SYNC entry says SYNC
     */
    record Entry(
            Kind kind,
            int piece,
            Site origin,
            Epoch epoch,
            long at,
            int sites,
            boolean forced,
            boolean sync) {}

    final Site site;
    final SiteConfig config;
    SiteState state;
    boolean up;

    // Durable, of the server.
    SiteRole diskRole;
    Epoch diskEpoch = new Epoch(1, Site.LOCAL);
    Epoch diskPromise = new Epoch(1, Site.LOCAL);
    String diskPromisedTo = "";
    List<Entry> log = new ArrayList<>();
    Epoch lineage = new Epoch(1, Site.LOCAL);
    boolean reconciled = true;

    // What the log says.
    int opened;
    int ended;
    int shownCandidates;
    int held;

    /** Expired at local alone first. */
    int oneCopy;

    final int[] expired = new int[2];
    final int[] protectedAt = new int[Frames.PIECES];
    final int[] expiredAt = new int[Frames.PIECES];
    boolean forced;
    long outOfSyncSince = -1;

    // Volatile, of the server.
    int acked;
    boolean services;
    boolean asking;
    boolean drain;
    boolean awaitBarrier;
    Optional<Epoch> handover = Optional.empty();
    Optional<Epoch> reconciling = Optional.empty();
    boolean catchUp;
    int barrierLog;
    long clockMillis;
    long heard;

    // The catalog: durable, each transaction whole.
    int rows;
    int tombstones;
    final List<OutboxEntry> outbox = new ArrayList<>();
    long applied;

    final SimStore store;
    // Shipping: a durable shortcut, and a session at the other store.
    int cursor;
    UUID shipSession = new UUID(0, 0);
    // Whether the store takes nothing from the other one: its disk is full.
    boolean full;
    // A rehearsal: pieces that must stay whole.
    long rehearsal;

    SimSite(Site site, SimStore store) {
        this.site = site;
        this.store = store;
        String self = name(site);
        this.config = SiteConfig.of(site, self, Set.of(self), Set.of(name(site.peer())));
        this.state = SiteState.booting(config);
        this.diskRole = site == Site.LOCAL ? SiteRole.ACTIVE : SiteRole.STANDBY;
    }

    static String name(Site site) {
        return site == Site.LOCAL ? "l1" : "d1";
    }

    static int bit(Site site) {
        return site == Site.LOCAL ? 0 : 1;
    }

    boolean leads() {
        return up && services && state.mayCommand();
    }

    void append(Entry entry) {
        log.add(entry);
        take(entry, log.size() - 1);
    }

    /** Puts another log in the place of this one. */
    void adopt(List<Entry> other) {
        log = new ArrayList<>(other);
        opened = 0;
        ended = 0;
        shownCandidates = 0;
        held = 0;
        oneCopy = 0;
        expired[0] = 0;
        expired[1] = 0;
        forced = false;
        outOfSyncSince = -1;
        for (int i = 0; i < log.size(); i++) {
            take(log.get(i), i);
        }
    }

    private void take(Entry entry, int index) {
        int bit = entry.piece() < 0 ? 0 : 1 << entry.piece();
        switch (entry.kind()) {
            case OPENED -> opened |= bit;
            case ENDED -> ended |= bit;
            case PROTECTED -> {
                if ((shownCandidates & bit) == 0) {
                    shownCandidates |= bit;
                    protectedAt[entry.piece()] = index;
                }
            }
            case HELD -> held |= bit;
            case EXPIRED -> {
                for (int s = 0; s < 2; s++) {
                    if ((entry.sites() >> s & 1) != 0) {
                        expired[s] |= bit;
                    }
                }
                oneCopy |= entry.sites() == 1 ? bit : 0;
                expiredAt[entry.piece()] = index;
            }
            case CHANGE -> forced = entry.forced();
            case RECONCILED -> forced = false;
            case SYNC -> {
                if (entry.sync()) {
                    outOfSyncSince = -1;
                } else if (outOfSyncSince < 0) {
                    outOfSyncSince = entry.at();
                }
            }
        }
    }

    boolean isSync() {
        return state.replication() == ReplicationState.SYNC;
    }

    /** Pieces that have expired at every site, or at this one alone. */
    int expiredAt(Site where) {
        return expired[bit(where)];
    }

    int expiredEverywhere() {
        return expired[0] & expired[1];
    }

    /** One transaction of the catalog: the change and its outbox entry. */
    void record(Epoch epoch, CatalogChange change, int piece) {
        apply(change, piece);
        outbox.add(new OutboxEntry(outbox.size() + 1L, epoch, change));
    }

    private void apply(CatalogChange change, int piece) {
        switch (change) {
            case CatalogChange.Recorded c -> rows |= 1 << piece;
            case CatalogChange.Forgotten c -> tombstones |= 1 << piece;
            case CatalogChange.Rebuilt c -> {}
        }
    }

    /** Rows that are listed. */
    int listed() {
        return rows & ~tombstones;
    }

    /**
     * Applies the next entries of the other's outbox, by the catalog's own plan.
     *
     * @param gate whether a row may pass
     * @param skipping whether a row that may not is left out, instead of waited for
     */
    void applyFrom(
            SimSite origin,
            int most,
            IntPredicate gate,
            boolean skipping,
            Map<UUID, Integer> pieces) {
        int from = (int) applied;
        int to = Math.min(origin.outbox.size(), from + most);
        OutboxApply.Plan plan = OutboxApply.plan(applied, origin.outbox.subList(from, to));
        if (!(plan instanceof OutboxApply.Apply apply)) {
            throw new IllegalStateException("outbox of " + origin.site + ": " + plan);
        }
        for (OutboxEntry entry : apply.entries()) {
            int piece = pieces.getOrDefault(entry.change().piece(), -1);
            if (entry.change() instanceof CatalogChange.Recorded && !gate.test(piece)) {
                if (!skipping) {
                    return;
                }
            } else {
                apply(entry.change(), piece);
            }
            applied = entry.seq();
        }
    }
}
