package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The cluster as the answering node sees it.
 *
 * @param cluster identity of the cluster
 * @param name what people call it
 * @param profile {@code p2-small}, {@code p2}
 * @param node id of the node that answers
 * @param site its site: {@code local} or {@code dr}
 * @param role its site's role: {@code ACTIVE}, {@code STANDBY}, {@code FENCED}, ...
 * @param mode {@code NORMAL} when the local site is active, {@code DR} when the DR site is
 * @param epoch newest epoch it obeys, as in {@code 1.local}
 * @param activeSite the site that owns that epoch
 * @param lineage the Raft group that holds MBR and resource DB
 * @param leader id of that group's leader, where known
 * @param replication {@code SYNC}, {@code ASYNC_WAIT}, {@code ASYNC}, {@code CATCHUP}; {@code NONE}
 *     without another site
 * @param replicationSince since when
 * @param lastContact when the other site was last heard
 * @param ackPolicy {@code availability} or {@code protection}: what becomes of a write that cannot be
 *     PROTECTED
 * @param ackPolicyBinds whether it binds now: protection does not while the other site is lost
 * @param level PROTECTED when everything acknowledged is at both sites, data too; absent where the node that
 *     answers cannot know, because it does not lead
 * @param rpoAtRisk when UNPROTECTED: what is at the active site only
 * @param rpoSeconds age of the oldest acknowledged change that is not yet protected; 0 when all are
 * @param appliedIndex newest log entry applied here
 * @param protectedIndex newest log entry known to be durable at the other site
 * @param members the nodes of both sites
 * @param stores the chunk stores
 * @param catalogs the catalogs
 * @param clients every client, with what would become of it
 * @param openJobs jobs without an outcome
 * @param unprotectedPieces data pieces acknowledged and not DR_PROTECTED
 * @param autoFailover {@code on} or {@code off}; absent in a cluster without a witness
 * @param autoFailoverRequires what it waits for: {@code metadata} or {@code protected-backups}; absent
 *     where there is no witness
 * @param warnings sentences that a person should read
 */
public record StatusView(
        UUID cluster,
        String name,
        String profile,
        String node,
        String site,
        String role,
        String mode,
        String epoch,
        String activeSite,
        UUID lineage,
        @Nullable String leader,
        String replication,
        @Nullable Moment replicationSince,
        @Nullable Moment lastContact,
        String ackPolicy,
        boolean ackPolicyBinds,
        @Nullable Level level,
        @Nullable RpoAtRisk rpoAtRisk,
        double rpoSeconds,
        long appliedIndex,
        long protectedIndex,
        List<Member> members,
        List<Store> stores,
        List<CatalogState> catalogs,
        List<ClientState> clients,
        int openJobs,
        int unprotectedPieces,
        @Nullable String autoFailover,
        @Nullable String autoFailoverRequires,
        List<String> warnings) {
    /** Copies the lists. */
    public StatusView {
        members = List.copyOf(members);
        stores = List.copyOf(stores);
        catalogs = List.copyOf(catalogs);
        clients = List.copyOf(clients);
        warnings = List.copyOf(warnings);
    }

    /**
     * One node.
     *
     * @param node its id
     * @param site its site
     * @param address host:port of its REST API
     * @param reachable whether it answered
     * @param role its site's role as it says; {@code UNKNOWN} when it did not answer
     * @param leader whether it leads the lineage
     * @param epoch newest epoch that it obeys
     * @param appliedIndex newest log entry applied there; -1 when unknown
     * @param lastContact when it was last heard
     */
    public record Member(
            String node,
            String site,
            String address,
            boolean reachable,
            String role,
            boolean leader,
            @Nullable String epoch,
            long appliedIndex,
            @Nullable Moment lastContact) {}

    /**
     * One chunk store.
     *
     * @param site where it stands
     * @param endpoint the storage media agent
     * @param reachable whether it answered
     * @param packBytes bytes in its packs; -1 when unknown
     * @param chunks frames in it; -1 when unknown
     * @param freeBytes of its file system; -1 when unknown
     */
    public record Store(
            String site,
            String endpoint,
            boolean reachable,
            long packBytes,
            long chunks,
            long freeBytes) {}

    /**
     * One catalog.
     *
     * @param name of its resource
     * @param site where it stands
     * @param endpoint that serves it
     * @param reachable whether it answered
     * @param pieces rows in it; -1 when unknown
     */
    public record CatalogState(
            String name, String site, String endpoint, boolean reachable, long pieces) {}

    /**
     * One client.
     *
     * @param id resource id
     * @param name its name
     * @param category {@code critical} or {@code non-critical}
     * @param state {@code ACTIVE} or {@code SUSPENDED}
     * @param reason why it is suspended
     * @param address where its agent is dialled now
     */
    public record ClientState(
            UUID id,
            String name,
            String category,
            String state,
            @Nullable String reason,
            @Nullable String address) {}
}
