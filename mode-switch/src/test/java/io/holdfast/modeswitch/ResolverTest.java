package io.holdfast.modeswitch;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.modeswitch.ReplicationCheck.ClientJobs;
import io.holdfast.modeswitch.Resolution.Refused;
import io.holdfast.modeswitch.Resolution.Resolved;
import io.holdfast.modeswitch.ResolveTable.ClientAddress;
import io.holdfast.standard.Endpoint;
import io.holdfast.standard.Identifier;
import io.holdfast.standard.ReplicationResource;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class ResolverTest {
    private static final ResolveTable SEED =
            new ResolveTable(
                    List.of(
                            row("10.10.11.44:6543", "10.50.4.4:3456"),
                            row("10.10.11.45", "10.50.4.4")),
                    List.of(
                            client("crit", "10.10.11.22:3456", "10.50.4.22:3456"),
                            client("noncrit", "10.10.11.23:3456", "")));

    private static ReplicationResource row(String local, String remote) {
        return new ReplicationResource(Endpoint.parse(local), Endpoint.parse(remote));
    }

    private static ClientAddress client(String name, String local, String dr) {
        return new ClientAddress(
                name,
                Endpoint.parse(local),
                dr.isEmpty() ? Optional.empty() : Optional.of(Endpoint.parse(dr)));
    }

    private static Resolution atDr(String identifier) {
        return Resolver.resolve(Identifier.parse(identifier), Placement.at(Site.DR), SEED);
    }

    private static String physical(String identifier) {
        return atDr(identifier) instanceof Resolved r ? r.identifier().toString() : "refused";
    }

    @Test
    void theSeedsWorkedExampleComesOutLiterally() {
        assertThat(
                        physical(
                                "10.10.11.44:6543?WRITE:IP:10.10.11.45,dedupe,<more params>?/mtree/backup/<client-id>"))
                .isEqualTo(
                        "10.50.4.4:3456?WRITE:IP:10.50.4.4,dedupe,<more params>?/mtree/backup/<client-id>");
    }

    @Test
    void clientGoesToItsDrAddressAndOneWithoutIsRefusedByName() {
        assertThat(physical("10.10.11.22:3456?READ?/xyz")).isEqualTo("10.50.4.22:3456?READ?/xyz");
        assertThat(atDr("10.10.11.23:3456?READ?/xyz"))
                .isInstanceOfSatisfying(
                        Refused.class,
                        r -> {
                            assertThat(r.address()).isEqualTo("10.10.11.23:3456");
                            assertThat(r.message()).contains("'noncrit'", "no DR address");
                        });
    }

    @Test
    void anAddressThatIsAPrefixOfAnotherIsNotThatOne() {
        assertThat(atDr("10.10.11.4:6543?READ?/x"))
                .isInstanceOfSatisfying(
                        Refused.class, r -> assertThat(r.address()).isEqualTo("10.10.11.4:6543"));
        assertThat(atDr("10.10.11.44:6543?WRITE:IP:10.10.11.4?/x")).isInstanceOf(Refused.class);
        assertThat(atDr("10.10.11.44:654?READ?/x")).isInstanceOf(Refused.class);
    }

    @Test
    void rowWithoutPortKeepsThePort() {
        assertThat(physical("10.10.11.45:777?READ?/x")).isEqualTo("10.50.4.4:777?READ?/x");
    }

    @Test
    void barePositionalAddressesAreRewrittenAndNothingElse() {
        assertThat(physical("10.10.11.22:3456?READ:snap,10.10.11.45,Disk1?/10.10.11.45/x"))
                .isEqualTo("10.50.4.22:3456?READ:snap,10.50.4.4,Disk1?/10.10.11.45/x");
        assertThat(atDr("10.10.11.22:3456?READ:snap,10.10.11.99,Disk1?/SN"))
                .isInstanceOfSatisfying(
                        Refused.class, r -> assertThat(r.address()).isEqualTo("10.10.11.99"));
        assertThat(physical("10.10.11.22:3456?READ:note:10.10.11.45?/x"))
                .isEqualTo("10.50.4.22:3456?READ:note:10.10.11.45?/x");
    }

    @Test
    void addressWithoutPortFollowsARowWithPort() {
        assertThat(physical("10.10.11.44:6543?READ:IP:10.10.11.44?/x"))
                .isEqualTo("10.50.4.4:3456?READ:IP:10.50.4.4?/x");
    }

    @Test
    void ipThatIsNoAddressIsRefused() {
        assertThat(atDr("10.10.11.44:6543?READ:IP:not an address?/x")).isInstanceOf(Refused.class);
    }

    @Test
    void localIsTheIdentityAndOverridesPlaceSingleEndpoints() {
        Identifier id = Identifier.parse("10.10.11.44:6543?WRITE:IP:10.10.11.45,dedupe?/m");
        assertThat(Resolver.resolve(id, Placement.at(Site.LOCAL), SEED))
                .isEqualTo(new Resolved(id, List.of()));
        Placement storageLost =
                new Placement(
                        Site.LOCAL,
                        Map.of(
                                Endpoint.parse("10.10.11.44:6543"), Site.DR,
                                Endpoint.parse("10.10.11.45"), Site.DR));
        assertThat(Resolver.resolve(id, storageLost, SEED))
                .isInstanceOfSatisfying(
                        Resolved.class,
                        r -> {
                            assertThat(r.identifier())
                                    .hasToString("10.50.4.4:3456?WRITE:IP:10.50.4.4,dedupe?/m");
                            assertThat(r.rewrites()).hasSize(2);
                        });
        Identifier client = Identifier.parse("10.10.11.22:3456?READ?/x");
        assertThat(Resolver.resolve(client, storageLost, SEED))
                .isEqualTo(new Resolved(client, List.of()));
    }

    @Test
    void hostNamesAndIpv6AreRewrittenToo() {
        ResolveTable table =
                new ResolveTable(
                        List.of(
                                row("nas.acme.com", "nas-dr.acme.com"),
                                row("[2001:db8::1]:1", "[2001:db8:d::1]:2")),
                        List.of());
        Identifier id =
                Identifier.parse(
                        "[2001:DB8:0::1]:1?READ:IP:NAS.acme.com,nas.acme.com,Disk1,v1.2?/x");
        assertThat(Resolver.resolve(id, Placement.at(Site.DR), table))
                .isInstanceOfSatisfying(
                        Resolved.class,
                        r ->
                                assertThat(r.identifier())
                                        .hasToString(
                                                "[2001:db8:d::1]:2?READ:IP:nas-dr.acme.com,nas-dr.acme.com,Disk1,v1.2?/x"));
    }

    @Test
    void checkRefusesCyclesAndWarnsOfWhatIsNotMapped() {
        ResolveTable cycle =
                new ResolveTable(
                        List.of(row("10.0.0.1", "10.0.0.2"), row("10.0.0.2", "10.0.0.1")),
                        List.of());
        assertThat(ReplicationCheck.check(cycle, List.of()).refusals()).hasSize(2);
        ReplicationCheck.Findings findings =
                ReplicationCheck.check(
                        SEED,
                        List.of(
                                new ClientJobs(
                                        "crit",
                                        true,
                                        List.of(
                                                Identifier.parse("10.10.11.22:3456?READ?/x"),
                                                Identifier.parse("10.10.11.77:1?WRITE?/x")))));
        assertThat(findings.refusals()).isEmpty();
        assertThat(findings.warnings()).singleElement().asString().contains("10.10.11.77:1");
    }

    /** Random tables that the check accepts, random identifiers over a small pool of addresses. */
    @Test
    void rewritingTwiceEqualsOnceAndNeverYieldsAMappedLocalAddress() {
        int resolved = 0;
        for (long seed = 1; seed <= 4000; seed++) {
            RandomGenerator random = new SplittableRandom(seed);
            ResolveTable table = table(random);
            if (!ReplicationCheck.check(table, List.of()).refusals().isEmpty()) {
                continue;
            }
            for (int i = 0; i < 10; i++) {
                Identifier id = identifier(random);
                Resolution once = Resolver.resolve(id, Placement.at(Site.DR), table);
                if (once instanceof Resolved first) {
                    resolved++;
                    assertThat(Resolver.resolve(first.identifier(), Placement.at(Site.DR), table))
                            .as("seed %d: %s by %s", seed, id, table)
                            .isEqualTo(new Resolved(first.identifier(), List.of()));
                    assertThat(table.rows())
                            .as("seed %d: %s by %s", seed, id, table)
                            .noneMatch(r -> r.local().equals(first.identifier().endpoint()));
                    assertThat(first.identifier().location()).isEqualTo(id.location());
                    assertThat(first.identifier().params()).hasSameSizeAs(id.params());
                }
            }
        }
        assertThat(resolved).isGreaterThan(1000);
    }

    private static ResolveTable table(RandomGenerator random) {
        List<ReplicationResource> rows = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(4); i++) {
            boolean ported = random.nextBoolean();
            String local = "10.0.0." + (1 + random.nextInt(6));
            String remote = "10.0." + random.nextInt(2) + "." + (1 + random.nextInt(6));
            if (!local.equals(remote)) {
                rows.add(
                        row(
                                ported ? local + ":" + (1 + random.nextInt(2)) : local,
                                ported && random.nextBoolean()
                                        ? remote + ":" + (1 + random.nextInt(2))
                                        : remote));
            }
        }
        return new ResolveTable(
                rows,
                List.of(client("a", "10.0.0.1:1", "10.0.1.1:1"), client("b", "10.0.0.2:2", "")));
    }

    private static Identifier identifier(RandomGenerator random) {
        return Identifier.parse(
                "10.0."
                        + random.nextInt(2)
                        + "."
                        + (1 + random.nextInt(6))
                        + ":"
                        + (1 + random.nextInt(2))
                        + "?WRITE"
                        + (random.nextBoolean() ? ":IP:10.0.0." + (1 + random.nextInt(6)) : ":x")
                        + (random.nextBoolean() ? ",10.0.0." + (1 + random.nextInt(6)) : "")
                        + "?/10.0.0.1");
    }
}
