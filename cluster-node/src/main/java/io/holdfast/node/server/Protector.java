package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.OpenSessionRequest;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.storage.StorageSession;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.chunk.ChunkId;
import io.holdfast.node.api.ApiException;
import io.holdfast.replication.raft.Written;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Site;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says that a data piece is DR_PROTECTED, and only then (DR-PROTOCOL 4.1, invariant I9). A piece is
 * marked when the other site's store holds its PIECE frame durably (it proves the whole manifest
 * before it takes one), the other site's catalog has its row, and the job's record is acknowledged by
 * the other site. The mark is shown once it is acknowledged there itself.
 *
 * <p>Runs on the active leader. Cost: two small calls for each unprotected piece and round.
 */
final class Protector {
    private static final Logger LOG = LoggerFactory.getLogger(Protector.class);
    private static final int PIECES_A_ROUND = 200;

    private final ClusterLog log;
    private final Peers peers;
    private final Marks marks = new Marks();

    Protector(ClusterLog log, Peers peers) {
        this.log = log;
        this.peers = peers;
    }

    /** One round over the unprotected pieces. @return how many were marked */
    int round() {
        Lookup lookup = Lookup.in(log.state());
        // Every record in that state stands at or before this index.
        long index = log.appliedIndex();
        marks.settle(log.lineage(), lookup.state(), index, log.protectedIndex());
        List<JobRecord> waiting =
                lookup.state().unprotectedPieces().stream().limit(PIECES_A_ROUND).toList();
        if (waiting.isEmpty()) {
            return 0;
        }
        if (log.protectedIndex() < index) {
            try {
                if (!log.awaitProtected(index, java.time.Duration.ofMillis(500))) {
                    return 0;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return 0;
            }
        }
        int marked = 0;
        for (JobRecord job : waiting) {
            try {
                if (isThere(lookup, job)) {
                    marks.asked(job.id());
                    Written written =
                            log.submit(
                                    new Command.ProtectedMark(job.id()),
                                    UUID.nameUUIDFromBytes(
                                            ("protected/" + job.epoch() + "/" + job.id())
                                                    .getBytes(StandardCharsets.UTF_8)));
                    marks.written(job.id(), written.index());
                    marked++;
                }
            } catch (RemoteException | ApiException e) {
                LOG.debug("Piece of job {} is not protected yet: {}", job.id(), e.getMessage());
            }
        }
        return marked;
    }

    private boolean isThere(Lookup lookup, JobRecord job) throws RemoteException {
        CatalogRecord row = job.row().orElseThrow();
        // A piece that the other site had taken before it was lost may be there only.
        Site active = lookup.state().epoch().site();
        Site other = active.peer();
        Optional<CatalogResource> catalog =
                lookup.catalogs().stream()
                        .filter(c -> c.name().equals(row.originCatalog()))
                        .findFirst();
        if (catalog.isEmpty()) {
            return false;
        }
        return isAt(lookup, job, catalog.get(), other)
                && (job.epoch().site() == active || isAt(lookup, job, catalog.get(), active));
    }

    private boolean isAt(Lookup lookup, JobRecord job, CatalogResource catalog, Site at)
            throws RemoteException {
        CatalogRecord row = job.row().orElseThrow();
        Optional<Endpoint> storage = Peers.storageAt(lookup, Identifier.parse(row.location()), at);
        return storage.isPresent()
                && holds(peers.storage(storage.get()), job.id(), job.pieceHeader().orElseThrow())
                && peers.catalog(Peers.servedAt(lookup, catalog, at)).get(row.piece()).isPresent();
    }

    /** Whether a storage holds a frame durably. */
    static boolean holds(StorageClient storage, UUID job, ChunkId id) throws RemoteException {
        StorageSession session = storage.openSession(job, "", OpenSessionRequest.Purpose.REPLICATE);
        try {
            return storage.missing(session, List.of(id)).isEmpty();
        } finally {
            storage.closeSession(session);
        }
    }

    /** Whether a job may be shown DR_PROTECTED: its mark is acknowledged by the other site. */
    boolean isShown(JobRecord job) {
        return job.isProtected() && marks.isShown(log.lineage(), job.id(), log.protectedIndex());
    }

    /** Whether every complete piece of a state is shown DR_PROTECTED. */
    boolean allShown(ClusterState state) {
        return state.unprotectedPieces().isEmpty() && marks.areShown(log.protectedIndex());
    }
}
