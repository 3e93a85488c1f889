package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.modeswitch.Profile;
import io.holdfast.modeswitch.SiteConfig;
import io.holdfast.modeswitch.SiteEvent;
import io.holdfast.modeswitch.SiteRole;
import io.holdfast.node.config.RoleFile;
import io.holdfast.replication.state.Command;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.NodeAddress;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link SiteController} in profile P3: the group is stretched over both sites and the witness. */
class SiteControllerWitnessTest {
    private static final Epoch FIRST = TestCluster.FIRST;
    private static final Epoch TAKEN = new Epoch(2, Site.DR);
    private static final long LEASE = 600;

    @TempDir Path temp;
    private @Nullable FakeSite site;

    @AfterEach
    void end() {
        if (site != null) {
            site.close();
        }
    }

    private static Mbr mbr() {
        Mbr two = TestCluster.mbr();
        return new Mbr(
                two.cluster(),
                two.name(),
                "p3-small",
                Map.of(
                        Site.LOCAL,
                        two.nodes(Site.LOCAL),
                        Site.DR,
                        two.nodes(Site.DR),
                        Site.WITNESS,
                        List.of(
                                new NodeAddress(
                                        "w1", "127.90.0.9", 8443, 9871, 9872, Set.of("witness")))),
                two.resourceDb(),
                two.defaultCatalog(),
                two.methodRepository(),
                two.epoch(),
                two.lineage(),
                two.chunking());
    }

    private FakeSite start(Site where, SiteRole durable) throws Exception {
        Profile p3 =
                new Profile(
                        Profile.Kind.P3, "w1", 400, LEASE, 100, true, Profile.Requires.METADATA);
        boolean local = where == Site.LOCAL;
        SiteConfig config =
                where == Site.WITNESS
                        ? new SiteConfig(
                                where, "w1", Set.of("l1"), Set.of("d1"), 1000, 1, 60_000, p3)
                        : new SiteConfig(
                                where,
                                local ? "l1" : "d1",
                                Set.of(local ? "l1" : "d1"),
                                Set.of(local ? "d1" : "l1"),
                                1000,
                                1,
                                60_000,
                                p3);
        FakeSite started = new FakeSite(temp, config, FIRST, mbr());
        started.lineage = started.controller.lineageOf(FIRST);
        site = started.start(durable, FIRST);
        return started;
    }

    private static void majority(FakeSite of, long term) {
        of.controller.majorityAt(System.nanoTime());
        of.controller.post(new SiteEvent.RaftMajority(term, 0));
    }

    @Test
    void aLeaderWithoutItsMajorityStopsItsServices() throws Exception {
        FakeSite local = start(Site.LOCAL, SiteRole.ACTIVE);
        local.controller.post(new SiteEvent.RaftLeading(4));
        majority(local, 4);
        FakeSite.eventually("services", () -> local.did.contains("allow 1.local"));
        FakeSite.eventually("services stop", () -> local.did.contains("forbid"));
        local.awaitRole(SiteRole.AWAIT_CONFIRM);
        assertThat(local.controller.mayCommand()).isFalse();
        assertThat(local.guard.max()).isEqualTo(FIRST);
        majority(local, 4);
        FakeSite.eventually(
                "services again",
                () -> local.did.stream().filter("allow 1.local"::equals).count() == 2);
    }

    /** Of the time that a process stood still its machine knows nothing. */
    @Test
    void anAnswerFromBeforeAStandstillIsNoLease() throws Exception {
        FakeSite local = start(Site.LOCAL, SiteRole.ACTIVE);
        local.controller.post(new SiteEvent.RaftLeading(4));
        local.controller.post(new SiteEvent.RaftMajority(4, 0));
        FakeSite.eventually("services", () -> local.did.contains("allow 1.local"));
        assertThat(local.controller.mayCommand()).isFalse();
        assertThat(local.controller.serves()).isFalse();
    }

    @Test
    void drTakesOverByItselfInTheSameLineage() throws Exception {
        FakeSite dr = start(Site.DR, SiteRole.STANDBY);
        dr.witnessLost = true;
        dr.controller.post(new SiteEvent.RaftLeading(5));
        FakeSite.eventually(
                "a change of epoch",
                () -> dr.submitted.stream().anyMatch(Command.EpochChange.class::isInstance));
        assertThat(dr.did).contains("ask w1 about [l1]");
        Command.EpochChange change =
                (Command.EpochChange)
                        dr.submitted.stream()
                                .filter(Command.EpochChange.class::isInstance)
                                .findFirst()
                                .orElseThrow();
        assertThat(change.epoch()).isEqualTo(TAKEN);
        assertThat(change.lineage()).isEqualTo(dr.controller.lineageOf(FIRST));
        assertThat(change.reason()).startsWith("failover: automatic");
        assertThat(dr.guard.max()).as("no promise before it is applied").isEqualTo(FIRST);

        dr.silent.set(2);
        dr.controller.post(new SiteEvent.EpochApplied(TAKEN, ""));
        majority(dr, 5);
        FakeSite.eventually("services", () -> dr.did.contains("replication ASYNC"));
        assertThat(dr.did).containsSubsequence("promise 2.dr", "allow 2.dr", "replication ASYNC");
        assertThat(dr.did).noneMatch(d -> d.startsWith("open") || d.startsWith("close"));
        assertThat(RoleFile.read(dr.roleFile))
                .contains(new RoleFile("ACTIVE", TAKEN, dr.controller.lineageOf(FIRST)));
        FakeSite.eventually(
                "the lead is kept, at the third attempt",
                () -> dr.did.stream().filter("prefer dr"::equals).count() == 3);
    }

    @Test
    void aWitnessThatHearsTheOtherSiteKeepsIt() throws Exception {
        FakeSite dr = start(Site.DR, SiteRole.STANDBY);
        dr.controller.post(new SiteEvent.RaftLeading(5));
        FakeSite.eventually(
                "it was asked more than once",
                () -> dr.did.stream().filter(d -> d.startsWith("ask w1")).count() > 2);
        assertThat(dr.submitted).noneMatch(Command.EpochChange.class::isInstance);
        assertThat(dr.controller.state().role()).isEqualTo(SiteRole.STANDBY);
    }

    @Test
    void theWitnessAnswersForItself() throws Exception {
        FakeSite witness = start(Site.WITNESS, SiteRole.STANDBY);
        witness.awaitRole(SiteRole.WITNESS);
        witness.answers("l1", SiteRole.ACTIVE, FIRST, FIRST, true);
        FakeSite.eventually(
                "it hears of local",
                () -> witness.controller.state().group().heard().containsKey("l1"));
        assertThat(witness.controller.witnessAsked("d1", Set.of("l1"), 5, 1)).isFalse();
        witness.isSilent("l1");
        FakeSite.eventually(
                "local is lost",
                () -> {
                    try {
                        return witness.controller.witnessAsked("d1", Set.of("l1"), 5, 2);
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
    }

    /** A start after a takeover: its lineage is older than its epoch. */
    @Test
    void theLineageOfADurableRoleIsFoundAgain() throws Exception {
        FakeSite local = new FakeSite(temp, FakeSite.small(Site.LOCAL), TAKEN);
        site = local;
        local.controller.start(new RoleFile("STANDBY", TAKEN, local.controller.lineageOf(FIRST)));
        local.awaitRole(SiteRole.STANDBY);
        assertThat(local.controller.state().lineage()).isEqualTo(FIRST);
        assertThat(local.lineage()).isEqualTo(local.controller.lineageOf(FIRST));
    }
}
