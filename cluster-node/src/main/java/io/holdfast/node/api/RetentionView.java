package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;

/**
 * What retention decides now.
 *
 * @param policies by name
 * @param pieces by source, newest first
 */
public record RetentionView(List<Policy> policies, List<Piece> pieces) {
    /** Copies the lists. */
    public RetentionView {
        policies = List.copyOf(policies);
        pieces = List.copyOf(pieces);
    }

    /**
     * A policy.
     *
     * @param name its name
     * @param retention clauses with commas between, or {@code forever}
     * @param clients how many clients it is in force for
     * @param retentionDr the same as {@code retention} for DR, also when the policy has none of its own
     * @param drMayExpireFirst whether DR may let a piece go that local still keeps
     */
    public record Policy(
            String name,
            String retention,
            int clients,
            String retentionDr,
            boolean drMayExpireFirst) {}

    /**
     * A data piece.
     *
     * @param piece its identity
     * @param clientName whose it is
     * @param source what it is a backup of
     * @param backupTime when, leader's time
     * @param verdict KEEP while a site keeps it, EXPIRE (now) or GONE
     * @param reason why; of both sites when they differ
     * @param sites what becomes of it at each site
     */
    public record Piece(
            UUID piece,
            String clientName,
            String source,
            Moment backupTime,
            String verdict,
            String reason,
            List<AtSite> sites) {
        /** Copies the list. */
        public Piece {
            sites = List.copyOf(sites);
        }
    }

    /**
     * A data piece at one site.
     *
     * @param site {@code local} or {@code dr}
     * @param verdict KEEP, EXPIRE (now) or GONE
     * @param reason why
     */
    public record AtSite(String site, String verdict, String reason) {}
}
