package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Everything a node can be asked from outside. Reads answer from this node. Writes that arrive at a
 * node which may not take them are sent on to the leader of the active site by the implementation;
 * a failover is served by a STANDBY node itself, without any leader.
 *
 * <p>What an operator changes comes back {@link Saved}: it is PROTECTED or UNPROTECTED. Jobs say it
 * themselves ({@link JobView.Safety}). A failover or a switchover is told step by step: the one leaves the
 * other site behind, the other ends only when both sites have acknowledged it.
 *
 * <p>Every method may throw {@link ApiException} and blocks until it has an answer; callers use a
 * thread of their own. Implementations are thread-safe.
 */
public interface NodeApi extends LifetimeApi {
    /** The cluster as this node sees it. */
    StatusView status();

    /** Whether this node is well; cheap, and answers in every mode. */
    HealthView health();

    /**
     * Resources, sorted by type and name.
     *
     * @param type a type's word, or null for all
     */
    List<ResourceView> resources(@Nullable String type);

    /**
     * Writes a resource: a new one, or a new version of the one with its id.
     *
     * @param resource its {@code version} is the one it replaces, or -1 for whichever
     * @return as stored, with its new version
     */
    Saved<ResourceView> putResource(ResourceView resource);

    /** Deletes a resource. Refused while others name it. Returns its id. */
    Saved<UUID> deleteResource(UUID id);

    /** Starts a backup and returns at once: its job is OPEN, or ended when it was refused early. */
    JobView startBackup(Requests.Backup request);

    /** Starts a restore and returns at once. */
    JobView startRestore(Requests.Restore request);

    /** Jobs, newest first, without their logs. */
    List<JobView> jobs(Requests.JobFilter filter);

    /** One job with its log. */
    JobView job(UUID id);

    /** Asks a running job to stop. Returns the job as it stands, possibly still OPEN. */
    JobView cancelJob(UUID id);

    /** Data pieces, newest first. */
    List<PieceView> pieces(Requests.PieceFilter filter);

    /** One data piece. */
    PieceView piece(UUID id);

    /** Entries of a data piece's tree, opened by an agent: servers have no keys. Bounded: 100,000. */
    List<EntryView> ls(Requests.Listing request);

    /** What a failover at this node would do. Changes nothing. */
    PreflightView failoverPreflight();

    /** Makes this node's site the active one, whether or not the other one is there. */
    FailoverView failover(Requests.Failover request);

    /** The ledger of the newest failover; empty when there was none. */
    LossLedgerView lossLedger();

    /** Hands the cluster over to the other site without any loss. Both must be well. */
    SwitchoverView switchover(Requests.Switchover request);

    /**
     * A failover or switchover that this node was asked for, while it answers that request; waits for
     * nothing. One that was asked for with another id, or not here, is {@code NOT_FOUND}.
     */
    MoveView move(UUID operation);

    /** Switches automatic failover; refused in a cluster without a witness. */
    Saved<StatusView> autoFailover(Requests.AutoFailover request);

    /** Chooses what becomes of writes that cannot be PROTECTED. Binds no write of its own. */
    Saved<StatusView> ackPolicy(Requests.ChooseAckPolicy request);

    /** What monitoring wants to know of this node. Answered here, from what it knows; cheap. */
    MetricsView metrics();

    /** What became of a site that returned. */
    ReconcileView reconcileReport();

    /** Makes one change of the returned site here too, unless ours has changed since it was seen. */
    Saved<ReconcileView.Setting> reconcileApply(Requests.Reapply request);

    /** Signs every report of a return: the way home is free. Harmless when repeated. */
    Saved<ReconcileView> reconcileSign(Requests.Sign request);

    /** The storages, and which site's stores their jobs use. Asks both stores and the catalogs. */
    List<StorageView> storages();

    /** From now on the other site's store is used in place of one that is lost. */
    Saved<StorageView> storageFailover(Requests.StorageMove request);

    /** A healed storage takes over again. Refused while it lacks a piece, or a job uses the other. */
    Saved<StorageView> storageFailback(Requests.StorageMove request);

    /** How an identifier would be dialled now. A refusal is part of the answer, not an exception. */
    IdentifierView resolve(String identifier);

    /**
     * Plays a failover through in a sandbox at a node of the passive site, restores samples, and keeps
     * the report in the resource DB; blocks until the sandbox is gone. Production is not touched.
     */
    RehearsalView rehearse(Requests.Rehearsal request);
}
