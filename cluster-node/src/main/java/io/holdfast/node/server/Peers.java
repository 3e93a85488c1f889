package io.holdfast.node.server;

import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.agent.storage.CollectorClient;
import io.holdfast.agent.storage.StorageClient;
import io.holdfast.agent.tls.ChannelCache;
import io.holdfast.agent.tls.PeerIdentity;
import io.holdfast.agent.tls.TlsMaterial;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.agent.wire.Wire;
import io.holdfast.catalog.CatalogClient;
import io.holdfast.catalog.CatalogRow;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.server.Lookup.Client;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Site;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Whom this node dials: agents, storages, catalogs. Every call carries the epoch that this node
 * obeys at that moment. Thread-safe.
 */
final class Peers implements AutoCloseable {
    private final UUID cluster;
    private final Supplier<Epoch> epoch;
    private final ChannelCache channels;

    Peers(UUID cluster, TlsMaterial tls, Supplier<Epoch> epoch) {
        this.cluster = cluster;
        this.epoch = epoch;
        this.channels = new ChannelCache(tls);
    }

    RequestContext context() {
        return Wire.context(cluster, epoch.get());
    }

    /** The media agent at an endpoint, without a deadline: for a job's stream. */
    MediaAgentGrpc.MediaAgentBlockingStub agent(Endpoint endpoint) {
        return MediaAgentGrpc.newBlockingStub(
                channels.channel(endpoint, Set.of(PeerIdentity.AGENT)));
    }

    MediaAgentGrpc.MediaAgentBlockingStub agent(Endpoint endpoint, Duration deadline) {
        return agent(endpoint).withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
    }

    StorageClient storage(Endpoint endpoint) {
        return new StorageClient(
                channels.channel(endpoint, Set.of(PeerIdentity.STORAGE)),
                this::context,
                StorageClient.Options.DEFAULT);
    }

    CollectorClient collector(Endpoint endpoint) {
        return new CollectorClient(
                channels.channel(endpoint, Set.of(PeerIdentity.STORAGE)), this::context);
    }

    CatalogClient catalog(Endpoint endpoint) {
        return new CatalogClient(
                channels.channel(endpoint, Set.of(PeerIdentity.NODE)), this::context);
    }

    /** The catalog of a row's origin, as it is served at the active site. */
    CatalogClient catalogOf(Lookup lookup, CatalogRecord row) {
        return catalog(
                servedAt(
                        lookup, named(lookup, row.originCatalog()), lookup.state().epoch().site()));
    }

    /** The catalog of a client, as it is served at the active site. */
    CatalogClient catalogOf(Lookup lookup, Client client) {
        return catalog(servedAt(lookup, lookup.catalog(client), lookup.state().epoch().site()));
    }

    static Endpoint servedAt(Lookup lookup, CatalogResource catalog, Site site) {
        return lookup.at(catalog.address(), site)
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.REFUSED,
                                "Catalog "
                                        + catalog.name()
                                        + " at "
                                        + catalog.address()
                                        + " has no mapping to site "
                                        + site.word(),
                                "Add one with: holdfast replication add "
                                        + catalog.address()
                                        + " HOST:PORT"));
    }

    private static CatalogResource named(Lookup lookup, String name) {
        return lookup.catalogs().stream()
                .filter(c -> c.name().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.REFUSED,
                                "There is no catalog '" + name + "'",
                                "Create its resource again"));
    }

    /** The row of a piece, from whichever catalog has it. @throws ApiException NOT_FOUND */
    CatalogRow catalogRow(Lookup lookup, UUID piece) throws RemoteException {
        RemoteException failed = null;
        for (CatalogResource catalog : lookup.catalogs()) {
            Endpoint endpoint = servedAt(lookup, catalog, lookup.state().epoch().site());
            try {
                Optional<CatalogRow> row =
                        catalog(endpoint)
                                .get(piece)
                                .filter(p -> p.forgotten().isEmpty())
                                .map(p -> p.row());
                if (row.isPresent()) {
                    return row.get();
                }
            } catch (RemoteException e) {
                failed = e;
            }
        }
        if (failed != null) {
            throw failed;
        }
        throw new ApiException(
                ApiException.Kind.NOT_FOUND,
                "No catalog knows a data piece " + piece,
                "See the pieces with: holdfast pieces");
    }

    /** Where the storage of an identifier's head is served at a site. */
    static Optional<Endpoint> storageAt(Lookup lookup, Identifier location, Site site) {
        return lookup.at(location.endpoint(), site);
    }

    /** All the places of a list of local endpoints at a site. */
    static List<Endpoint> at(Lookup lookup, List<Endpoint> local, Site site) {
        return local.stream().flatMap(e -> lookup.at(e, site).stream()).distinct().toList();
    }

    @Override
    public void close() {
        channels.close();
    }
}
