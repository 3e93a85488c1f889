package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.standard.ClientResource;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class LookupTest {
    private static final Epoch DR = new Epoch(2, Site.DR);

    private static ApiException refusal(ApiException.Kind kind, ThrowingCallable call) {
        ApiException refusal = catchThrowableOfType(ApiException.class, call);
        assertThat(refusal).isNotNull();
        assertThat(refusal.kind()).isEqualTo(kind);
        assertThat(refusal.next()).isNotBlank();
        return refusal;
    }

    @Test
    void aClientIsFoundByNameAndById() {
        Lookup lookup = TestCluster.create().lookup();
        assertThat(lookup.client("crit").id()).isEqualTo(TestCluster.CRIT);
        assertThat(lookup.client(TestCluster.CRIT.toString())).isEqualTo(lookup.client("crit"));
        assertThat(lookup.client(TestCluster.CRIT)).contains(lookup.client("crit"));
        assertThat(lookup.clients())
                .extracting(c -> c.view().name())
                .containsExactlyInAnyOrder("crit", "noncrit");
    }

    @Test
    void aMissingClientIsNotFound() {
        Lookup lookup = TestCluster.create().lookup();
        UUID nobody = new UUID(7, 7);
        for (String asked : new String[] {"nobody", nobody.toString(), "", "x".repeat(36)}) {
            assertThat(refusal(ApiException.Kind.NOT_FOUND, () -> lookup.client(asked)))
                    .hasMessageContaining("'" + asked + "'");
        }
        assertThat(lookup.client(nobody)).isEmpty();
    }

    @Test
    void anotherResourceIsNoClient() {
        Lookup lookup = TestCluster.create().lookup();
        refusal(ApiException.Kind.NOT_FOUND, () -> lookup.client("daily"));
        refusal(ApiException.Kind.NOT_FOUND, () -> lookup.client(TestCluster.GROUP.toString()));
        assertThat(lookup.client(TestCluster.GROUP)).isEmpty();
    }

    @Test
    void whatAClientNamesIsFound() {
        Lookup lookup = TestCluster.create().lookup();
        Lookup.Client crit = lookup.client("crit");
        assertThat(lookup.group(crit).name()).isEqualTo("daily");
        assertThat(lookup.policy(crit).name()).isEqualTo("month");
        assertThat(lookup.device(crit).name()).isEqualTo("disk");
        assertThat(lookup.catalog(crit).name()).isEqualTo("main");
        assertThat(lookup.key(crit).domain()).isEqualTo(TestCluster.DOMAIN);
        assertThat(lookup.devices()).containsExactly(lookup.device(crit));
        assertThat(lookup.catalogs()).containsExactly(lookup.catalog(crit));
        assertThat(crit.slot(Site.DR)).isEqualTo("agent:" + TestCluster.CRIT + ":dr");
    }

    @Test
    void whatAClientNamesInVainIsRefusedWithBothNames() {
        TestCluster cluster = TestCluster.create();
        cluster.delete(TestCluster.GROUP);
        Lookup lookup = cluster.lookup();
        Lookup.Client crit = lookup.client("crit");
        assertThat(refusal(ApiException.Kind.REFUSED, () -> lookup.device(crit)))
                .hasMessageContaining("crit")
                .hasMessageContaining("group 'daily'");
        cluster.delete(TestCluster.KEY);
        assertThat(refusal(ApiException.Kind.REFUSED, () -> cluster.lookup().key(crit)))
                .hasMessageContaining("crit")
                .hasMessageContaining("domain-key 'main'");
    }

    @Test
    void aClientsOwnCatalogGoesBeforeTheDefault() {
        ClientResource own =
                new ClientResource(
                        "own",
                        Endpoint.parse("127.10.11.24:3456"),
                        Optional.empty(),
                        "/data",
                        false,
                        "ada",
                        "main",
                        "daily",
                        Optional.of("elsewhere"));
        Lookup lookup = TestCluster.create().put(own.toResource(new UUID(0xc11, 3))).lookup();
        assertThat(refusal(ApiException.Kind.REFUSED, () -> lookup.catalog(lookup.client("own"))))
                .hasMessageContaining("catalog 'elsewhere'");
    }

    @Test
    void beforeTheSeedThereIsNoMbr() {
        Lookup lookup = Lookup.in(ClusterState.empty());
        refusal(ApiException.Kind.UNAVAILABLE, lookup::mbr);
        assertThat(lookup.clients()).isEmpty();
    }

    @Test
    void addressesAreServedWhereTheSiteHasThem() {
        Lookup lookup = TestCluster.create().lookup();
        Endpoint storage = Endpoint.parse(TestCluster.STORAGE);
        assertThat(lookup.at(storage, Site.LOCAL)).contains(storage);
        assertThat(lookup.at(storage, Site.DR)).contains(Endpoint.parse("127.50.4.4:3456"));
        assertThat(lookup.at(Endpoint.parse("127.10.11.44:9873"), Site.DR))
                .contains(Endpoint.parse("127.50.4.4:9873"));
        assertThat(lookup.at(Endpoint.parse("127.10.11.22:3456"), Site.DR))
                .contains(Endpoint.parse("127.50.4.22:3456"));
        Endpoint lost = Endpoint.parse("127.10.11.23:3456");
        assertThat(lookup.at(lost, Site.LOCAL)).contains(lost);
        assertThat(lookup.at(lost, Site.DR)).isEmpty();
    }

    @Test
    void theEpochSaysWhereAnIdentifierIsDialled() {
        String logical = TestCluster.STORAGE + "?WRITE:IP:127.10.11.45,dedupe?/mtree/backup/x";
        TestCluster cluster = TestCluster.create();
        assertThat(cluster.lookup().physical(Identifier.parse(logical))).hasToString(logical);
        Lookup dr = cluster.failover(DR).lookup();
        assertThat(dr.mbr().epoch()).isEqualTo(DR);
        assertThat(dr.physical(Identifier.parse(logical)))
                .hasToString("127.50.4.4:3456?WRITE:IP:127.50.4.4,dedupe?/mtree/backup/x");
        IdentifierView view = dr.view(logical);
        assertThat(view.logical()).isEqualTo(logical);
        assertThat(view.refusal()).isNull();
        assertThat(view.rewrites())
                .extracting(IdentifierView.Rewrite::from)
                .containsExactly(TestCluster.STORAGE, "127.10.11.45");
    }

    @Test
    void anAddressWithoutAMappingIsRefusedByName() {
        Lookup dr = TestCluster.create().failover(DR).lookup();
        String logical = "127.10.11.23:3456?READ?/data";
        assertThat(refusal(ApiException.Kind.REFUSED, () -> dr.physical(Identifier.parse(logical))))
                .hasMessageContaining("127.10.11.23:3456");
        IdentifierView view = dr.view(logical);
        assertThat(view.physical()).isNull();
        assertThat(view.refusal()).contains("127.10.11.23:3456");
        assertThatThrownBy(() -> dr.view("nonsense")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void onlyAClientWithoutDrAddressIsSuspendedAndOnlyAtDr() {
        Lookup lookup = TestCluster.create().lookup();
        ClientResource crit = lookup.client("crit").view();
        ClientResource noncrit = lookup.client("noncrit").view();
        assertThat(Lookup.suspension(crit, Site.LOCAL)).isEmpty();
        assertThat(Lookup.suspension(crit, Site.DR)).isEmpty();
        assertThat(Lookup.suspension(noncrit, Site.LOCAL)).isEmpty();
        assertThat(Lookup.suspension(noncrit, Site.DR))
                .hasValueSatisfying(why ->
                        assertThat(why)
                                .startsWith("SUSPENDED_IN_DR: ")
                                .contains("noncrit", "127.10.11.23:3456", "restores"));
    }

    /** Only what the lost storage serves moves; clients and catalogs stay where they are. */
    @Test
    void aLostStorageIsServedAtTheOtherSite() {
        TestCluster cluster = TestCluster.create();
        Endpoint storage = Endpoint.parse(TestCluster.STORAGE);
        cluster.apply(new Command.StorageFailover(storage, Site.DR, List.of(), "ada", "burnt"));
        Lookup lookup = cluster.reread();
        assertThat(lookup.now(storage)).contains(Endpoint.parse("127.50.4.4:3456"));
        assertThat(
                        lookup.physical(
                                        Identifier.parse(
                                                TestCluster.STORAGE
                                                        + "?WRITE:IP:127.10.11.45,dedupe?/x"))
                                .toString())
                .isEqualTo("127.50.4.4:3456?WRITE:IP:127.50.4.4,dedupe?/x");
        assertThat(lookup.now(Endpoint.parse("127.10.11.44:9873")))
                .contains(Endpoint.parse("127.10.11.44:9873"));
        assertThat(lookup.now(Endpoint.parse("127.10.11.22:3456")))
                .contains(Endpoint.parse("127.10.11.22:3456"));
        assertThat(lookup.at(storage, Site.LOCAL)).contains(storage);
        cluster.apply(new Command.StorageFailback(storage, List.of(), "ada"));
        assertThat(cluster.reread().now(storage)).contains(storage);
    }
}
