package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import io.holdfast.chunk.ChunkId;
import io.holdfast.modeswitch.AckPolicy;
import io.holdfast.modeswitch.Profile;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Job;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/** What may be done to a {@link ClusterState}. The wire form is {@code cluster.proto}. */
public sealed interface Command {
    /** Any version of a resource will do. */
    long ANY_VERSION = -1;

    /** The resource must not exist yet. */
    long NEW = 0;

    /** Replaces the MBR. Epoch and lineage in it are overwritten with the state's own. */
    record PutMbr(Mbr mbr) implements Command {}

    /**
     * Writes a resource; the reply tells its new version.
     *
     * @param expectedVersion {@link #ANY_VERSION}, {@link #NEW}, or the version that was read
     */
    record PutResource(Resource resource, long expectedVersion) implements Command {}

    /** Removes a resource. */
    record DeleteResource(UUID id, long expectedVersion) implements Command {}

    /**
     * A job starts.
     *
     * @param job with logical identifiers
     * @param kind {@code backup}, {@code restore}, ...
     * @param client the client resource
     * @param level {@code full}, {@code incremental}, or empty
     * @param continues the job, CHECKPOINTED, that this one goes on with. Refused when another one does
     */
    record JobOpened(Job job, String kind, UUID client, String level, Optional<UUID> continues)
            implements Command {
        /** A job that goes on with no other. */
        public JobOpened(Job job, String kind, UUID client, String level) {
            this(job, kind, client, level, Optional.empty());
        }
    }

    /** A job has ended. Repeating it with the same state is harmless. See {@link JobRecord}. */
    record JobEnded(
            UUID job,
            JobState state,
            Optional<CatalogRecord> row,
            Optional<ChunkId> pieceHeader,
            JobTotals totals,
            String message,
            Optional<StorePosition> stored)
            implements Command {
        /** Refuses OPEN, which is no end. */
        public JobEnded {
            if (state == JobState.OPEN) {
                throw new FormatException("job's end", state.name(), 0, "any state but OPEN");
            }
        }
    }

    /** The other site has chunks, manifest, rows and keys of a completed job. */
    record ProtectedMark(UUID job) implements Command {}

    /**
     * A job that a returned site had completed and this lineage never saw, or saw only as open.
     *
     * @param job as the returned site knew it; complete, with its row
     * @param fromLineage where it comes from
     */
    record PieceRecovered(JobRecord job, UUID fromLineage) implements Command {}

    /** Replication to the other site stands differently now. See {@link ReplState}. */
    record ReplStateChange(ReplState state) implements Command {}

    /**
     * A new epoch begins. The first command of a cluster, the last but one of a drained lineage,
     * and part of every {@link SeedEnd}.
     *
     * @param epoch higher than every one before
     * @param lineage the Raft group that will hold it
     * @param parentLineage where its state came from; empty for the first
     * @param forkTerm term of the last entry taken over; 0 for the first
     * @param forkIndex index of the last entry taken over, in the parent; 0 for the first
     * @param forkHash SHA-256 of the state at the fork; empty for the first
     * @param reason {@code init}, {@code failover}, {@code switchover}, ... and why, in words
     * @param operator who
     * @param lastContactMicros of a forced one: when the coordinator had heard of the lost site last, epoch
     *     microseconds; 0 where it had not since its start, and for any other
     */
    record EpochChange(
            Epoch epoch,
            UUID lineage,
            Optional<UUID> parentLineage,
            long forkTerm,
            long forkIndex,
            ByteString forkHash,
            String reason,
            String operator,
            long lastContactMicros)
            implements Command {
        /** One that loses no site. */
        public EpochChange(
                Epoch epoch,
                UUID lineage,
                Optional<UUID> parentLineage,
                long forkTerm,
                long forkIndex,
                ByteString forkHash,
                String reason,
                String operator) {
            this(epoch, lineage, parentLineage, forkTerm, forkIndex, forkHash, reason, operator, 0);
        }

        /** The first epoch of a new cluster. */
        public static EpochChange first(Epoch epoch, UUID lineage, String operator) {
            return new EpochChange(
                    epoch, lineage, Optional.empty(), 0, 0, ByteString.EMPTY, "init", operator);
        }
    }

    /**
     * A planned switchover begins: from now on no job is opened.
     *
     * @param limitMillis see {@link Draining}
     */
    record SwitchPrepare(Site target, String reason, String operator, long limitMillis)
            implements Command {
        /** One that does not say how long it may take. */
        public SwitchPrepare(Site target, String reason, String operator) {
            this(target, reason, operator, 0);
        }
    }

    /** A planned switchover is given up, in the same epoch. */
    record SwitchAbort(String reason) implements Command {}

    /**
     * The clients that are not backed up in this epoch, all of them.
     *
     * @param clients client resource to reason
     */
    record SetSuspended(Map<UUID, String> clients) implements Command {
        /** Copies the map, sorted. */
        public SetSuspended {
            clients = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(clients));
        }
    }

    /** Somebody did something that is kept for the auditor. */
    record AuditNote(String who, String what, String subject) implements Command {}

    /**
     * A seed of a new lineage follows. Begins again when a seed was not finished.
     *
     * @param seed its id
     * @param totalBytes of the state
     * @param sha256 of the state's bytes
     */
    record SeedBegin(UUID seed, long totalBytes, ByteString sha256) implements Command {}

    /**
     * A piece of the seed.
     *
     * @param sequence from 0; a repeated one is harmless
     * @param data at most {@link #MAX_SEED_CHUNK} bytes
     */
    record SeedChunk(UUID seed, int sequence, ByteString data) implements Command {}

    /** All pieces are there: verified, they become the state, in a new epoch, in one step. */
    record SeedEnd(UUID seed, EpochChange change) implements Command {}

    /**
     * A returned member hands over its {@link ReturnReport}; begins again when it was not finished.
     *
     * @param member its node
     * @param report an id of this report
     * @param totalBytes of the report
     * @param sha256 of the report's bytes
     */
    record ReportBegin(String member, UUID report, long totalBytes, ByteString sha256)
            implements Command {}

    /**
     * A piece of a report.
     *
     * @param sequence from 0; a repeated one is harmless
     * @param data at most {@link #MAX_SEED_CHUNK} bytes
     */
    record ReportChunk(UUID report, int sequence, ByteString data) implements Command {}

    /** All pieces of a report are there: verified, it is kept. */
    record ReportEnd(UUID report) implements Command {}

    /**
     * An operator has dealt with the report of a divergent lineage: the way home is free.
     *
     * @param lineage the divergent one
     */
    record ReportSigned(UUID lineage, String who, String reason) implements Command {}

    /**
     * A storage is lost: from now on the other site's store is used in its place.
     *
     * @param storage logical address of the storage
     * @param servedAt the site whose store is used
     * @param lost jobs whose pieces were only there
     */
    record StorageFailover(
            Endpoint storage, Site servedAt, List<UUID> lost, String who, String reason)
            implements Command {
        /** Copies the list. */
        public StorageFailover {
            lost = List.copyOf(lost);
        }
    }

    /**
     * A storage is whole again and takes over.
     *
     * @param storage logical address of the storage
     * @param found of the jobs that were thought lost, those whose pieces are there after all
     */
    record StorageFailback(Endpoint storage, List<UUID> found, String who) implements Command {
        /** Copies the list. */
        public StorageFailback {
            found = List.copyOf(found);
        }
    }

    /**
     * Data pieces expire, all or none: refused when a hold names one, or when one is to expire at one site
     * and is not DR_PROTECTED. A piece that has expired there before is passed over; one that had expired
     * at the other site alone has then expired at both.
     *
     * @param pieces at most {@link #MAX_EXPIRING}
     * @param who the operator, or {@code retention}
     * @param onlyAt the one site where they expire, while the other keeps them; empty: both. Changes nothing
     *     of a piece that has expired at a site already
     */
    record Expire(List<Expiring> pieces, String who, Optional<Site> onlyAt) implements Command {
        /** They expire at both sites. */
        public Expire(List<Expiring> pieces, String who) {
            this(pieces, who, Optional.empty());
        }

        /** Copies the list, and refuses the witness, which keeps nothing. */
        public Expire {
            pieces = List.copyOf(pieces);
            Expiry.requireStore(onlyAt);
            if (pieces.size() > MAX_EXPIRING) {
                throw new FormatException(
                        "expiry", pieces.size() + " pieces", 0, "at most " + MAX_EXPIRING);
            }
        }
    }

    /**
     * One of them.
     *
     * @param piece its identity
     * @param header id of its PIECE frame
     * @param client whose it is; all zeros when nobody knows
     * @param job that made it; empty when nobody knows
     * @param reason why, for people
     */
    record Expiring(UUID piece, ChunkId header, UUID client, Optional<UUID> job, String reason) {}

    /** These expired pieces are gone from both sites: nothing needs to remember them here. */
    record ExpirySettled(List<UUID> pieces) implements Command {
        /** Copies the list. */
        public ExpirySettled {
            pieces = List.copyOf(pieces);
        }
    }

    /**
     * A legal hold begins. Refused when the piece has expired.
     *
     * @param hold its id
     * @param piece the data piece that it names
     * @param client all pieces of this client; exactly one of the two is there
     */
    record HoldAdd(
            UUID hold, Optional<UUID> piece, Optional<UUID> client, String who, String reason)
            implements Command {}

    /** A legal hold ends. */
    record HoldRelease(UUID hold, String who, String reason) implements Command {}

    /** A leader takes the lease to order work of a site's store; what was under way there is over. */
    record GcBegin(UUID run, Endpoint storage, Site site, GcRun.Work work, String node)
            implements Command {}

    /** The work has ended. See {@link GcRun}. */
    record GcEnd(UUID run, String outcome, List<String> reasons, long frames, long bytes)
            implements Command {
        /** Copies the list. */
        public GcEnd {
            reasons = List.copyOf(reasons);
        }
    }

    /** An operator declares the other site lost for good. */
    record AbandonSite(Site site, String who, String reason) implements Command {}

    /**
     * Whether the passive site may take over without an operator, where there is a witness (P3).
     *
     * @param requires what must be there before it does ({@code auto-failover-requires}); empty: as before
     */
    record SetAutoFailover(
            boolean on, Optional<Profile.Requires> requires, String who, String reason)
            implements Command {
        /** For the auditor. */
        String text() {
            return "automatic failover "
                    + (on ? "on" : "off")
                    + requires.map(r -> ", requires " + r.word()).orElse("")
                    + ": "
                    + reason;
        }
    }

    /** What becomes of writes that cannot be PROTECTED. See {@link ClusterState#bindingPolicy}. */
    record SetAckPolicy(AckPolicy policy, String who, String reason) implements Command {}

    /** Data pieces in one {@link Expire}. */
    int MAX_EXPIRING = 1_000;

    /** The largest piece of a seed or a report: 1 MiB. */
    int MAX_SEED_CHUNK = 1 << 20;
}
