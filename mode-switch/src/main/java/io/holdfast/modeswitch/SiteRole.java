package io.holdfast.modeswitch;

/** What a site, as one of its members sees it, may do (DR-PROTOCOL 3.4). */
public enum SiteRole {
    /** The durable role and promise have not been read yet. */
    BOOT,
    /**
     * Was active before it went down; asks whether it still is. Commands nobody. In P3 also every
     * member of the active site that does not lead, or has lost its majority.
     */
    AWAIT_CONFIRM,
    /** Receives what the other site does. */
    STANDBY,
    /** Owns the epoch: schedules, commands agents, collects garbage. */
    ACTIVE,
    /** Active, but admits no job any more: a planned move is under way. */
    DRAINING,
    /** Collects promises for a new epoch of its own. */
    SEALING,
    /** Has a quorum of promises; reads tails, opens and seeds the new lineage. */
    PROMOTING,
    /** Knows of a higher epoch; has stopped everything. */
    FENCED,
    /** Archives what only it had, and joins the new lineage. */
    RECONCILING,
    /** Votes and stores no backup; never active (profile P3). */
    WITNESS
}
