package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.agent.pki.Pem;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Mbr;
import io.holdfast.standard.MbrFormat;
import io.holdfast.standard.Site;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MbrFileTest {
    private static final Mbr FIRST = TestCluster.mbr();
    private static final Mbr NEXT = FIRST.with(new Epoch(2, Site.DR), new UUID(0x11, 2));

    @TempDir Path temp;
    private Path folder;
    private Path file;
    private Path identity;

    @BeforeEach
    void folders() throws IOException {
        folder = Files.createDirectory(temp.resolve("mbr"));
        identity = Files.createDirectory(temp.resolve("identity"));
        file = folder.resolve("MBR");
    }

    private static KeyPair generate(String algorithm) throws Exception {
        return KeyPairGenerator.getInstance(algorithm).generateKeyPair();
    }

    private KeyPair cluster(String algorithm) throws Exception {
        KeyPair pair = generate(algorithm);
        Pem.writeKey(identity.resolve("cluster-key.pem"), pair.getPrivate());
        Files.writeString(
                identity.resolve("cluster-pub.pem"),
                "-----BEGIN PUBLIC KEY-----\n"
                        + Base64.getMimeEncoder().encodeToString(pair.getPublic().getEncoded())
                        + "\n-----END PUBLIC KEY-----\n");
        return pair;
    }

    private void refused() {
        assertThatThrownBy(() -> MbrFile.open(file, identity, TestCluster.CLUSTER))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("Copy it from another node");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ed25519", "EC"})
    void aChangeIsTakenOverAndReadBack(String algorithm) throws Exception {
        KeyPair pair = cluster(algorithm);
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        MbrFile mbr = MbrFile.open(file, identity, TestCluster.CLUSTER);
        assertThat(mbr.current()).isEqualTo(FIRST);
        mbr.update(NEXT);
        assertThat(mbr.current()).isEqualTo(NEXT);
        assertThat(MbrFormat.parse(Files.readString(file), pair.getPublic())).isEqualTo(NEXT);
        assertThat(MbrFile.open(file, identity, TestCluster.CLUSTER).current()).isEqualTo(NEXT);
    }

    /** The old file is never written to: another name of it still shows the old record, whole. */
    @Test
    void theFileIsReplacedNotOverwritten() throws Exception {
        KeyPair pair = cluster("Ed25519");
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        Path old = Files.createLink(temp.resolve("old"), file);
        MbrFile.open(file, identity, TestCluster.CLUSTER).update(NEXT);
        assertThat(MbrFormat.parse(Files.readString(old), pair.getPublic())).isEqualTo(FIRST);
        assertThat(MbrFormat.parse(Files.readString(file), pair.getPublic())).isEqualTo(NEXT);
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void whatAnInterruptedRewriteLeftIsNoHindrance() throws Exception {
        KeyPair pair = cluster("Ed25519");
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        Files.write(folder.resolve("MBR.tmp"), new byte[100_000]);
        MbrFile mbr = MbrFile.open(file, identity, TestCluster.CLUSTER);
        assertThat(mbr.current()).isEqualTo(FIRST);
        mbr.update(NEXT);
        assertThat(MbrFile.open(file, identity, TestCluster.CLUSTER).current()).isEqualTo(NEXT);
    }

    @Test
    void aRewriteThatFailsLeavesTheOldFileWholeAndIsTriedAgain() throws Exception {
        KeyPair pair = cluster("Ed25519");
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        Path obstacle = Files.createDirectory(folder.resolve("MBR.tmp"));
        try (MbrFile mbr = open()) {
            mbr.update(NEXT);
            assertThat(mbr.current()).isEqualTo(NEXT);
            assertThat(mbr.isWritten()).isFalse();
            try (MbrFile onDisk = open()) {
                assertThat(onDisk.current()).isEqualTo(FIRST);
            }
            Files.delete(obstacle);
            awaitWritten(mbr);
        }
        try (MbrFile onDisk = open()) {
            assertThat(onDisk.current()).isEqualTo(NEXT);
        }
    }

    /** A change back to what stands on disk needs no write, and ends the attempts. */
    @Test
    void theNewestChangeIsWhatIsTriedAgain() throws Exception {
        KeyPair pair = cluster("Ed25519");
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        Path obstacle = Files.createDirectory(folder.resolve("MBR.tmp"));
        Mbr last = FIRST.with(new Epoch(3, Site.LOCAL), new UUID(0x11, 3));
        try (MbrFile mbr = open()) {
            mbr.update(NEXT);
            mbr.update(FIRST);
            assertThat(mbr.isWritten()).isTrue();
            mbr.update(NEXT);
            mbr.update(last);
            Files.delete(obstacle);
            awaitWritten(mbr);
        }
        try (MbrFile onDisk = open()) {
            assertThat(onDisk.current()).isEqualTo(last);
        }
    }

    private MbrFile open() throws IOException {
        return MbrFile.open(file, identity, TestCluster.CLUSTER, Duration.ofMillis(5));
    }

    private static void awaitWritten(MbrFile mbr) throws InterruptedException {
        for (int i = 0; i < 20_000 && !mbr.isWritten(); i++) {
            Thread.sleep(1);
        }
        assertThat(mbr.isWritten()).isTrue();
    }

    @Test
    void anotherClustersIsRefusedByName() throws Exception {
        KeyPair pair = cluster("Ed25519");
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        UUID own = new UUID(0xc1, 2);
        assertThatThrownBy(() -> MbrFile.open(file, identity, own))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("acme")
                .hasMessageContaining(TestCluster.CLUSTER.toString())
                .hasMessageContaining(own.toString());
    }

    @Test
    void nothingIsWrittenWithoutAChange() throws Exception {
        KeyPair pair = cluster("Ed25519");
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        MbrFile mbr = MbrFile.open(file, identity, TestCluster.CLUSTER);
        Files.delete(file);
        mbr.update(TestCluster.mbr());
        assertThat(file).doesNotExist();
    }

    @Test
    void aForeignSignatureIsRefused() throws Exception {
        cluster("Ed25519");
        for (String algorithm : new String[] {"Ed25519", "EC"}) {
            Files.writeString(file, MbrFormat.print(FIRST, generate(algorithm).getPrivate()));
            refused();
        }
    }

    @Test
    void aMissingOneIsRefused() throws Exception {
        cluster("Ed25519");
        refused();
    }

    @Test
    void aDamagedOneIsRefused() throws Exception {
        KeyPair pair = cluster("Ed25519");
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        byte[] whole = Files.readAllBytes(file);
        for (int at = 0; at < whole.length - 1; at += 11) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 1;
            Files.write(file, damaged);
            refused();
            damaged[at] ^= (byte) 0x81;
            Files.write(file, damaged);
            refused();
            Files.write(file, Arrays.copyOf(whole, at));
            refused();
        }
    }

    @Test
    void aDamagedPublicKeyIsRefusedByName() throws Exception {
        KeyPair pair = cluster("Ed25519");
        Files.writeString(file, MbrFormat.print(FIRST, pair.getPrivate()));
        Path key = identity.resolve("cluster-pub.pem");
        for (String body : new String[] {"AAAA", "\u00ff", ""}) {
            Files.write(
                    key,
                    ("-----BEGIN PUBLIC KEY-----\n" + body + "\n-----END PUBLIC KEY-----\n")
                            .getBytes(StandardCharsets.ISO_8859_1));
            assertThatThrownBy(() -> MbrFile.open(file, identity, TestCluster.CLUSTER))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(key.toString());
        }
    }
}
