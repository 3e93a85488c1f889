package io.holdfast.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FormatsTest {
    private static final UUID ID = UUID.fromString("018f0000-0000-7000-8000-000000000001");

    static Mbr mbr() {
        Set<String> roles = Set.of("backup-server", "catalog-server", "storage");
        return new Mbr(
                ID,
                "drill",
                "p2-small",
                Map.of(
                        Site.LOCAL,
                        List.of(new NodeAddress("l1", "127.10.11.44", 8443, 9871, 9872, roles)),
                        Site.DR,
                        List.of(new NodeAddress("d1", "127.50.4.4", 8443, 9871, 9872, roles))),
                "raft:" + ID,
                "main",
                "file:/methods",
                Epoch.parse("1.local"),
                ID,
                Chunking.DEFAULT);
    }

    /** RFC 8032, test 1: a key whose signatures never change. */
    private static PrivateKey fixedKey() throws GeneralSecurityException {
        byte[] seed =
                java.util.HexFormat.of()
                        .parseHex(
                                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        return KeyFactory.getInstance("Ed25519")
                .generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, seed));
    }

    private static PublicKey fixedPublicKey() throws GeneralSecurityException {
        BigInteger y =
                new BigInteger(
                        "1a5107f7681a02af2523a6daf372e10e3a0764c9d3fe4bd5b70ab18201985ad7", 16);
        return KeyFactory.getInstance("Ed25519")
                .generatePublic(
                        new EdECPublicKeySpec(NamedParameterSpec.ED25519, new EdECPoint(false, y)));
    }

    @Test
    void mbrIsWrittenAsTheGoldenFileSays() throws IOException, GeneralSecurityException {
        String text = MbrFormat.print(mbr(), fixedKey());
        Golden.check("mbr.txt", text);
        assertThat(MbrFormat.parse(text, fixedPublicKey())).isEqualTo(mbr());
        assertThat(MbrFormat.parseUnverified(text)).isEqualTo(mbr());
    }

    @Test
    void mbrIsSignedByEllipticCurvesToo() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        KeyPair pair = generator.generateKeyPair();
        String text = MbrFormat.print(mbr(), pair.getPrivate());
        assertThat(MbrFormat.parse(text, pair.getPublic())).isEqualTo(mbr());
        PublicKey other = generator.generateKeyPair().getPublic();
        assertThatThrownBy(() -> MbrFormat.parse(text, other))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("this cluster's key");
        assertThat(MbrFormat.parseUnverified(text)).isEqualTo(mbr());
    }

    @Test
    void everyFlippedBitAndEveryTruncationIsRefused() throws GeneralSecurityException {
        String text = MbrFormat.print(mbr(), fixedKey());
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        PublicKey key = fixedPublicKey();
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] damaged = bytes.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            String read = new String(damaged, StandardCharsets.UTF_8);
            assertThatThrownBy(() -> MbrFormat.parse(read, key))
                    .as("bit %d", bit)
                    .isInstanceOf(FormatException.class);
        }
        for (int length = 0; length < text.length(); length++) {
            String read = text.substring(0, length);
            assertThatThrownBy(() -> MbrFormat.parse(read, key))
                    .isInstanceOf(FormatException.class);
        }
    }

    @Test
    void mbrOfAnotherVersionIsToldApart() throws GeneralSecurityException {
        String text =
                MbrFormat.print(mbr(), fixedKey())
                        .replace("\"holdfastMbr\":1", "\"holdfastMbr\":2");
        assertThatThrownBy(() -> MbrFormat.parseUnverified(text))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("version 1, not 2; upgrade");
    }

    @Test
    void mbrTellsAllProblemsAtOnce() {
        String json =
                MbrFormat.toJson(mbr())
                        .print()
                        .replace("1.local", "1.moon")
                        .replace("8443", "99999")
                        .replace("\"name\":\"drill\"", "\"name\":7");
        assertThatThrownBy(() -> MbrFormat.fromJson(Json.parse(json)))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("4 problems")
                .hasMessageContaining("'epoch'")
                .hasMessageContaining("sites.dr[0]")
                .hasMessageContaining("sites.local[0]")
                .hasMessageContaining("'name'");
    }

    private static Stream<Resource> resources() {
        return Stream.of(
                new ClientResource(
                                "crit",
                                Endpoint.parse("10.10.11.22:3456"),
                                Optional.of(Endpoint.parse("10.50.4.22:3456")),
                                "/home",
                                true,
                                "acme",
                                "key",
                                "nightly",
                                Optional.of("main"))
                        .toResource(ID, "North Africa", Map.of("rack", "7")),
                new GroupResource("nightly", "night", "month", "dd1").toResource(ID),
                new DeviceResource("dd1", "10.10.11.45", Endpoint.parse("10.10.11.44:6543"), "/m")
                        .toResource(ID),
                new ScheduleResource(
                                "night",
                                CronSchedule.parse("0 2 * * *"),
                                ZoneId.of("Europe/Berlin"),
                                "incremental")
                        .toResource(ID),
                new PolicyResource(
                                "month",
                                Retention.of(Duration.ofDays(30)),
                                PolicyResource.GreenAt.DR_DATA)
                        .toResource(ID),
                new PolicyResource(
                                "longer-at-dr",
                                Retention.parse("last 3"),
                                Optional.of(Retention.parse("P30D, last 9")),
                                true,
                                PolicyResource.GreenAt.LOCAL)
                        .toResource(ID),
                new CatalogResource("main", Endpoint.parse("10.10.11.44:9873"), true)
                        .toResource(ID),
                new ReplicationResource(
                                Endpoint.parse("[2001:db8::1]:1"), Endpoint.parse("10.50.4.4:2"))
                        .toResource(ID),
                DomainKeyResource.of("key", ID, 1, Map.of("agent:x", new byte[] {1, 2}))
                        .toResource(ID),
                new RehearsalResource("2026-11-22T03:00:00Z d1", "GAPS", "{\"a\":1}", "A\npage\n")
                        .toResource(ID));
    }

    @Test
    void resourcesAndTheirViewsReadBack() {
        resources()
                .forEach(resource -> {
                    Json json = Json.parse(ResourceFormat.toJson(resource).print());
                    assertThat(ResourceFormat.fromJson(json)).isEqualTo(resource);
                    Resource again =
                            switch (resource.type()) {
                                case CLIENT ->
                                        ClientResource.of(resource)
                                                .toResource(
                                                        ID, resource.domain(), resource.optional());
                                case GROUP -> GroupResource.of(resource).toResource(ID);
                                case DEVICE -> DeviceResource.of(resource).toResource(ID);
                                case SCHEDULE -> ScheduleResource.of(resource).toResource(ID);
                                case POLICY -> PolicyResource.of(resource).toResource(ID);
                                case CATALOG -> CatalogResource.of(resource).toResource(ID);
                                case REPLICATION -> ReplicationResource.of(resource).toResource(ID);
                                case DOMAIN_KEY -> DomainKeyResource.of(resource).toResource(ID);
                                case REHEARSAL -> RehearsalResource.of(resource).toResource(ID);
                            };
                    assertThat(again).isEqualTo(resource);
                });
    }

    @Test
    void badInfoNamesResourceAndKey() {
        Resource bad =
                new Resource(
                        ID,
                        "",
                        "critical",
                        "crit",
                        Resource.Type.CLIENT,
                        Map.of("address", "10.10.11.22"),
                        Optional.empty(),
                        Map.of());
        assertThatThrownBy(() -> ClientResource.of(bad)).hasMessageContaining("sourcePath");
        Resource worse =
                new Resource(
                        ID,
                        "",
                        "",
                        "r",
                        Resource.Type.REPLICATION,
                        Map.of("localIp", "10.0.0.1", "remoteIp", "10.0.0.2", "remotePort", "x"),
                        Optional.empty(),
                        Map.of());
        assertThatThrownBy(() -> ReplicationResource.of(worse))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("replication 'r', info 'remotePort'");
        assertThatThrownBy(() -> ClientResource.of(worse)).hasMessageContaining("the type client");
    }

    @Test
    void catalogRecordsReadBack() {
        CatalogRecord row =
                new CatalogRecord(
                        ID,
                        ID,
                        "crit",
                        "/home",
                        "files/full",
                        "acme",
                        "h:1?READ?/x",
                        5,
                        Long.MAX_VALUE,
                        7,
                        "main",
                        Map.of("job", "j"));
        Json json = Json.parse(CatalogRecordFormat.toJson(row).print());
        assertThat(CatalogRecordFormat.fromJson(json)).isEqualTo(row);
        assertThat(json.print()).doesNotContain("expiry");
    }

    @Test
    void uuid7HasVersionVariantAndTimeOrder() {
        UUID first = Uuid7.of(1_700_000_000_000L, -1, -1);
        UUID second = Uuid7.of(1_700_000_000_001L, 0, 0);
        assertThat(first.version()).isEqualTo(7);
        assertThat(first.variant()).isEqualTo(2);
        assertThat(Uuid7.epochMillis(first)).isEqualTo(1_700_000_000_000L);
        assertThat(first.toString().compareTo(second.toString())).isNegative();
        assertThatThrownBy(() -> Uuid7.of(-1, 0, 0)).isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> Uuid7.of(1L << 48, 0, 0)).isInstanceOf(FormatException.class);
    }

    @Test
    void aPolicySaysAtWhichLevelABackupIsGreen() {
        for (PolicyResource.GreenAt level : PolicyResource.GreenAt.values()) {
            Resource stored = new PolicyResource("p", Retention.FOREVER, level).toResource(ID);
            assertThat(stored.info()).containsEntry("greenAt", level.word());
            assertThat(PolicyResource.of(stored).greenAt()).isEqualTo(level);
        }
        Resource old =
                ResourceInfo.resource(
                        ID,
                        Resource.Type.POLICY,
                        "p",
                        Map.of("retention", "forever", "greenAt", "dr"));
        assertThatThrownBy(() -> PolicyResource.of(old))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("local, dr-log or dr-data");
    }

    private static Resource policy(String... info) {
        Map<String, String> all = new java.util.TreeMap<>(Map.of("greenAt", "local"));
        for (int i = 0; i < info.length; i += 2) {
            all.put(info[i], info[i + 1]);
        }
        return ResourceInfo.resource(ID, Resource.Type.POLICY, "p", all);
    }

    @Test
    void aPolicyMayKeepLongerAtDr() {
        PolicyResource same = PolicyResource.of(policy("retention", "P30D"));
        assertThat(same.retentionAt(Site.DR)).isEqualTo(same.retentionAt(Site.LOCAL));
        assertThat(same.toResource(ID).info()).containsOnlyKeys("retention", "greenAt");

        Resource longer = policy("retention", "P30D", "retentionDr", "P90D, monthly 12");
        PolicyResource policy = PolicyResource.of(longer);
        assertThat(policy.retentionAt(Site.LOCAL)).hasToString("P30D");
        assertThat(policy.retentionAt(Site.DR)).hasToString("P90D, monthly 12");
        assertThat(policy.drMayExpireFirst()).isFalse();
        assertThat(policy.toResource(ID)).isEqualTo(longer);
    }

    @Test
    void aPolicyIsShorterAtDrOnlyWhenItSaysSo() {
        assertThatThrownBy(
                        () -> PolicyResource.of(policy("retention", "P30D", "retentionDr", "P29D")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("policy 'p', info 'retentionDr'")
                .hasMessageContaining("'P30D' at local")
                .hasMessageContaining("drMayExpireFirst");
        Resource leave =
                policy("retention", "P30D", "retentionDr", "P29D", "drMayExpireFirst", "true");
        assertThat(PolicyResource.of(leave).toResource(ID)).isEqualTo(leave);
        // What counts decide is seen to when the pieces are ruled over.
        assertThat(PolicyResource.of(policy("retention", "last 9", "retentionDr", "P1D")))
                .isNotNull();
        assertThatThrownBy(() ->
                        PolicyResource.of(policy("retention", "P1D", "drMayExpireFirst", "yes")))
                .hasMessageContaining("true or false");
    }
}
