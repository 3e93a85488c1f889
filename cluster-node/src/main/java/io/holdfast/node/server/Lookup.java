package io.holdfast.node.server;

import io.holdfast.modeswitch.Placement;
import io.holdfast.modeswitch.Resolution;
import io.holdfast.modeswitch.Resolver;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.StorageMove;
import io.holdfast.replication.state.VersionedResource;
import io.holdfast.standard.CatalogResource;
import io.holdfast.standard.ClientResource;
import io.holdfast.standard.DeviceResource;
import io.holdfast.standard.DomainKeyResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.GroupResource;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.PolicyResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.Site;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Questions to the cluster's state: typed resources by name, addresses by site. Pure. What is not
 * there is an {@link ApiException} of kind NOT_FOUND or REFUSED that names it.
 */
final class Lookup {
    private final ClusterState state;
    private final Placement placement;

    private Lookup(ClusterState state) {
        this.state = state;
        this.placement = new Placement(state.epoch().site(), overrides());
    }

    /** Where storages that were lost are served: their addresses, and those of their devices. */
    private Map<Endpoint, Site> overrides() {
        Map<Endpoint, Site> overrides = new HashMap<>();
        for (StorageMove move : state.storageMoves()) {
            if (move.isActive()) {
                overrides.put(move.storage(), move.servedAt());
                devices().stream()
                        .filter(d -> d.storage().equals(move.storage()))
                        .flatMap(d -> Endpoint.ofAddress(d.ip()).stream())
                        .forEach(ip -> overrides.put(ip, move.servedAt()));
            }
        }
        return overrides;
    }

    static Lookup in(ClusterState state) {
        return new Lookup(state);
    }

    /** A client resource with its id. */
    record Client(UUID id, ClientResource view) {
        /** Name of the key slot of its agent at a site. */
        String slot(Site site) {
            return "agent:" + id + ":" + site.word();
        }
    }

    ClusterState state() {
        return state;
    }

    Mbr mbr() {
        return state.mbr()
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.UNAVAILABLE,
                                "This node has no MBR yet: its lineage is not seeded",
                                "Wait until the active site has adopted it"));
    }

    /** The client of a name or an id. */
    Client client(String nameOrId) {
        return state.resource(Resource.Type.CLIENT, nameOrId)
                .or(() -> uuid(nameOrId).flatMap(state::resource))
                .map(VersionedResource::resource)
                .filter(r -> r.type() == Resource.Type.CLIENT)
                .map(r -> new Client(r.id(), ClientResource.of(r)))
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.NOT_FOUND,
                                "There is no client '" + nameOrId + "'",
                                "See the clients with: holdfast client list"));
    }

    Optional<Client> client(UUID id) {
        return state.resource(id)
                .map(VersionedResource::resource)
                .filter(r -> r.type() == Resource.Type.CLIENT)
                .map(r -> new Client(r.id(), ClientResource.of(r)));
    }

    List<Client> clients() {
        return state.resources(Resource.Type.CLIENT).stream()
                .map(VersionedResource::resource)
                .map(r -> new Client(r.id(), ClientResource.of(r)))
                .toList();
    }

    GroupResource group(Client client) {
        return GroupResource.of(named(Resource.Type.GROUP, client.view().group(), client));
    }

    PolicyResource policy(Client client) {
        return PolicyResource.of(named(Resource.Type.POLICY, group(client).policy(), client));
    }

    DeviceResource device(Client client) {
        return DeviceResource.of(named(Resource.Type.DEVICE, group(client).device(), client));
    }

    List<DeviceResource> devices() {
        return state.resources(Resource.Type.DEVICE).stream()
                .map(VersionedResource::resource)
                .map(DeviceResource::of)
                .toList();
    }

    CatalogResource catalog(Client client) {
        String name = client.view().catalog().orElseGet(() -> mbr().defaultCatalog());
        return CatalogResource.of(named(Resource.Type.CATALOG, name, client));
    }

    /** Every catalog that has an address at the local site. */
    List<CatalogResource> catalogs() {
        return state.resources(Resource.Type.CATALOG).stream()
                .map(VersionedResource::resource)
                .map(CatalogResource::of)
                .filter(c -> !c.combined())
                .toList();
    }

    DomainKeyResource key(Client client) {
        return DomainKeyResource.of(
                named(Resource.Type.DOMAIN_KEY, client.view().domainKey(), client));
    }

    private Resource named(Resource.Type type, String name, Client client) {
        return state.resource(type, name)
                .map(VersionedResource::resource)
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.REFUSED,
                                "Client "
                                        + client.view().name()
                                        + " names the "
                                        + type.word()
                                        + " '"
                                        + name
                                        + "', which does not exist",
                                "Create it, or change the client"));
    }

    // ---------------------------------------------------------------- addresses

    /** Where an identifier is dialled now: at the active site, but for storages that were lost. */
    Resolution resolve(Identifier logical) {
        return Resolver.resolve(logical, placement, state.addresses());
    }

    /** Where an identifier would be dialled with everything at one site. */
    Resolution resolve(Identifier logical, Site site) {
        return Resolver.resolve(logical, Placement.at(site), state.addresses());
    }

    /** The physical identifier. @throws ApiException REFUSED naming the address without a mapping */
    Identifier physical(Identifier logical) {
        return required(resolve(logical));
    }

    private static Identifier required(Resolution resolution) {
        return switch (resolution) {
            case Resolution.Resolved resolved -> resolved.identifier();
            case Resolution.Refused refused ->
                    throw new ApiException(
                            ApiException.Kind.REFUSED,
                            refused.message(),
                            "Add the mapping with: holdfast replication add, or a DR address with:"
                                    + " holdfast client add");
        };
    }

    /**
     * The site that keeps a piece alone: its store is the one to read from. Empty when both keep it, or none,
     * or when that site was declared lost.
     */
    Optional<Site> keeper(UUID piece) {
        return state.keeper(piece).filter(site -> !state.isAbandoned(site));
    }

    /** How an identifier that reads a piece is dialled: where its storage is served, or where it is kept. */
    private Resolution resolveToRead(Identifier logical, UUID piece) {
        return keeper(piece).map(site -> resolve(logical, site)).orElseGet(() -> resolve(logical));
    }

    /** The physical identifier that reads a piece. @throws ApiException as {@link #physical} */
    Identifier physicalToRead(Identifier logical, UUID piece) {
        return required(resolveToRead(logical, piece));
    }

    /** An identifier that reads a piece, as it is dialled now. */
    IdentifierView viewToRead(Identifier logical, UUID piece) {
        return view(logical, resolveToRead(logical, piece));
    }

    /** Where a local endpoint is served at a site; empty when nothing maps it. */
    Optional<Endpoint> at(Endpoint local, Site site) {
        Identifier probe = new Identifier(local, "READ", List.of(), "");
        return switch (resolve(probe, site)) {
            case Resolution.Resolved resolved -> Optional.of(resolved.identifier().endpoint());
            case Resolution.Refused _ -> Optional.empty();
        };
    }

    /** Where a local endpoint is served now; empty when nothing maps it. */
    Optional<Endpoint> now(Endpoint local) {
        return switch (resolve(new Identifier(local, "READ", List.of(), ""))) {
            case Resolution.Resolved resolved -> Optional.of(resolved.identifier().endpoint());
            case Resolution.Refused _ -> Optional.empty();
        };
    }

    IdentifierView view(String logical) {
        return view(Identifier.parse(logical));
    }

    IdentifierView view(Identifier logical) {
        return view(logical, resolve(logical));
    }

    /** An identifier as it would be dialled while a site is active. */
    IdentifierView view(Identifier logical, Site site) {
        return view(logical, resolve(logical, site));
    }

    private static IdentifierView view(Identifier logical, Resolution resolution) {
        return switch (resolution) {
            case Resolution.Resolved resolved ->
                    new IdentifierView(
                            logical.toString(),
                            resolved.identifier().toString(),
                            null,
                            resolved.rewrites().stream()
                                    .map(r ->
                                            new IdentifierView.Rewrite(
                                                    r.place(), r.from(), r.to(), r.rule()))
                                    .toList());
            case Resolution.Refused refused ->
                    new IdentifierView(logical.toString(), null, refused.message(), List.of());
        };
    }

    /** Why a client cannot be backed up while {@code site} is active; empty when it can. */
    static Optional<String> suspension(ClientResource client, Site site) {
        return site == Site.DR && client.drAddress().isEmpty()
                ? Optional.of(
                        "SUSPENDED_IN_DR: client "
                                + client.name()
                                + " has no DR address, and "
                                + client.address()
                                + " is at the local site; restores of its data go to other"
                                + " clients")
                : Optional.empty();
    }

    static Optional<UUID> uuid(String text) {
        try {
            return text.length() == 36 ? Optional.of(UUID.fromString(text)) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
