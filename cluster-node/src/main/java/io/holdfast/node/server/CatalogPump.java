package io.holdfast.node.server;

import io.holdfast.agent.wire.RemoteException;
import io.holdfast.catalog.CatalogClient;
import io.holdfast.catalog.CatalogStatus;
import io.holdfast.node.api.ApiException;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Site;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries outbox entries between the catalogs of the two sites, in both directions: the active
 * site's rows to the other one, and what a returned site recorded before it was fenced to the active
 * one. The receiver applies each entry exactly once, and not before the piece is durable at its own
 * site. Runs on the active leader; cost of an idle round: one status call for each catalog and site.
 */
final class CatalogPump {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogPump.class);
    private static final int BATCH = 500;

    private final ClusterLog log;
    private final Peers peers;

    CatalogPump(ClusterLog log, Peers peers) {
        this.log = log;
        this.peers = peers;
    }

    /** One round. @return true when every catalog has everything of its counterpart */
    boolean round() {
        Lookup lookup = Lookup.in(log.state());
        Site own = lookup.state().epoch().site();
        boolean level = true;
        for (CatalogResource catalog : lookup.catalogs()) {
            Optional<Endpoint> here = lookup.at(catalog.address(), own);
            Optional<Endpoint> there = lookup.at(catalog.address(), own.peer());
            if (here.isEmpty() || there.isEmpty()) {
                level = false;
                continue;
            }
            try {
                CatalogClient ours = peers.catalog(here.get());
                CatalogClient theirs = peers.catalog(there.get());
                level &= carry(ours, theirs);
                level &= carry(theirs, ours);
            } catch (RemoteException | ApiException e) {
                LOG.debug("Catalog {} is not level: {}", catalog.name(), e.getMessage());
                level = false;
            }
        }
        return level;
    }

    private static boolean carry(CatalogClient from, CatalogClient to) throws RemoteException {
        CatalogStatus source = from.status();
        long applied = to.status().appliedSeq(source.database());
        while (applied < source.lastSeq()) {
            CatalogClient.OutboxPage page = from.readOutbox(applied, BATCH);
            if (page.entries().isEmpty()) {
                return false;
            }
            applied = to.apply(page.database(), page.entries());
        }
        return true;
    }
}
