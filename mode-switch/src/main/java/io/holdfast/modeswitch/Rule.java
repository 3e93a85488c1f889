package io.holdfast.modeswitch;

/**
 * The clauses of the protocol that the simulation removes one at a time, to see each of them missed.
 * Those of {@link SiteMachine} and {@link SiteAckBook} are switched here; those of a shell (agents,
 * storage) are removed by the simulated shell.
 */
enum Rule {
    /** An epoch names the site that owns it, so that two sites never choose the same. */
    EPOCH_CARRIES_SITE,
    /** A member that was active asks before it acts again (T2). */
    CONFIRM_AFTER_BOOT,
    /** A confirmation needs a quorum of own members, too. */
    CONFIRM_ASKS_OWN,
    /** A confirmation counts answers of this start only. */
    FRESH_REPORTS,
    /** A promise is on disk before it counts. */
    PERSIST_PROMISE,
    /** What is persisted stands before what is announced. */
    PERSIST_BEFORE_ANNOUNCE,
    /** A promise is given to one candidate. */
    PROMISE_NAMES_CANDIDATE,
    /** A promotion reads a quorum of its site's members. */
    READ_QUORUM,
    /** Once promised, a member acknowledges nothing below. */
    SEAL,
    /** A planned move waits until the other site has everything. */
    BARRIER_BEFORE_HANDOVER,
    /** A planned move has every own member's promise before its EpochChange. */
    SEAL_BEFORE_HANDOVER,
    /** The record refuses a planned move's EpochChange while a backup is not at the other site. */
    HANDOVER_DRAINED,
    /** What only this member has is archived before it joins another lineage. */
    ARCHIVE_DIVERGENT,
    /** UNPROTECTED only after ReplState(ASYNC) is committed. */
    COMMIT_BEFORE_UNPROTECTED,
    /** SYNC only once the other site has what stood when CATCHUP began (R2). */
    CATCHUP_BARRIER,
    /** SYNC only when it has been level for stableMillis (R2). */
    CATCHUP_STABLE,
    /** A planned move begins from SYNC only (T8). */
    MOVE_FROM_SYNC,
    /** A failover while the other site answers has to be forced (T5). */
    FORCE_NEEDED,
    /** A site that knows of a higher epoch is promoted by force only (T5f). */
    FORCE_FENCED,
    /** A planned move past its barrier is taken back by force only (T8f). */
    FORCE_AFTER_BARRIER,
    /** P3: a fork while Raft still has a leader has to be forced. */
    FORCE_BESIDE_LEADER,
    /** An epoch above one's own ends everything (T9). */
    FENCE,
    /** Protected is what the other site has. */
    ACK_OF_OTHER_SITE,
    /** Protected needs a quorum of the other site. */
    ACK_QUORUM,
    /** Protected needs a quorum of the own site, too. */
    ACK_OF_OWN_QUORUM,
    /** A wiped member counts for nothing until it is admitted. */
    INCARNATION,
    /** It is admitted when it has what the leader had when it learnt of the new storage. */
    READMISSION_BARRIER,
    /** With a new storage, what the old one acknowledged is forgotten. */
    RESET_MATCH,
    /** Of two storages of a member the living one is that which acknowledges something newer. */
    LIVING_STORAGE,
    /** Only admitted members are read by a promotion. */
    READ_ADMITTED,
    /** A fork's epoch is above every EpochChange in the log that it is seeded with. */
    FORK_ABOVE_LOG,
    /** A tail of a newer lineage wins over a longer one of an older. */
    NEWEST_LINEAGE_FIRST,
    /** P3: a lineage that went on is newer than a fork of it that failed. */
    STANDS_IN_LINEAGE,
    /** Agents and stores remember their highest epoch across a crash. */
    AGENT_REMEMBERS,
    /** P3: a leader without a majority stops commanding (T11). */
    SELF_FENCE,
    /** P3: a takeover waits for the old leader's lease. */
    LEASE_WAIT,
    /** P3: the wait includes the drift of clocks. */
    LEASE_DRIFT,
    /** P3: no automatic takeover before t_down. */
    DOWN_TIME,
    /** P3: what was heard before a late tick may have been heard just now. */
    LATE_TICK,
    /** P3: the witness must have lost the other site, too. */
    WITNESS_AGREES,
    /** P3: the witness's word counts for the question it was asked. */
    FRESH_AGREEMENT,
    /** P3: the policy auto-failover-requires. */
    AUTO_REQUIRES
}
