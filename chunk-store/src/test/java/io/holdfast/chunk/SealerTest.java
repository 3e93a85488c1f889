package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class SealerTest {
    private static final ChunkId CHILD = ChunkId.of(Samples.bytes(77, 32));

    @Test
    void goldenFrames() throws Exception {
        try (Sealer sealer = new Sealer(Samples.key(), 0, new SplittableRandom(4))) {
            byte[] plain = "Holdfast keeps what it took.\n".getBytes("US-ASCII");
            Golden.assertMatches("frame-data.hex", Samples.dataFrame(sealer, plain));
            byte[] node = {9, 8, 7};
            ChunkId id = sealer.id(FrameKind.NODE, node, 0, 3, List.of(CHILD));
            byte[] frame = sealer.seal(FrameKind.NODE, id, node, 0, 3, List.of(CHILD));
            Golden.assertMatches("frame-node.hex", frame);
            assertThat(sealer.open(Golden.read("frame-data.hex"))).isEqualTo(plain);
            assertThat(sealer.open(Golden.read("frame-node.hex"))).isEqualTo(node);
        }
    }

    @Test
    void goldenCompressedFrameStillOpens() throws Exception {
        // zstd may write other bytes tomorrow; it must still read these.
        byte[] plain = Samples.text(new SplittableRandom(8), 5000);
        try (Sealer sealer = new Sealer(Samples.key(), 3, new SplittableRandom(5))) {
            if (Boolean.getBoolean("golden.rewrite")) {
                Golden.assertMatches("frame-zstd.hex", Samples.dataFrame(sealer, plain));
            }
            byte[] frame = Golden.read("frame-zstd.hex");
            assertThat(sealer.open(frame)).isEqualTo(plain);
            assertThat(frame.length).isLessThan(4000);
        }
    }

    @Test
    void opensAsFormatMdSaysWithTheJdkAlone() throws Exception {
        byte[] secret = Samples.key().encoded();
        byte[] plain = Samples.bytes(1, 1000);
        byte[] frame;
        try (Sealer sealer = Samples.sealer(1)) {
            frame = Samples.dataFrame(sealer, plain);
        }
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(
                Cipher.DECRYPT_MODE,
                new SecretKeySpec(secret, 32, 32, "AES"),
                new GCMParameterSpec(128, frame, 68, 12));
        cipher.updateAAD(frame, 0, 80);
        byte[] inner = cipher.doFinal(frame, 80, frame.length - 80);
        assertThat(inner[0]).isZero();
        assertThat(ByteBuffer.wrap(inner).getInt(1)).isEqualTo(1000);
        assertThat(Arrays.copyOfRange(inner, 5, inner.length)).isEqualTo(plain);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, 0, 32, "HmacSHA256"));
        mac.update(new byte[] {1, 0, 0, 0, 0});
        assertThat(ChunkId.of(mac.doFinal(plain))).isEqualTo(Samples.id(frame));
    }

    @Test
    void sealsAndOpensEverySizeAndLevel() throws Exception {
        SplittableRandom random = new SplittableRandom(3);
        for (int level : new int[] {0, 1, 3, 19}) {
            try (Sealer sealer = new Sealer(Samples.key(), level, random)) {
                for (int length : new int[] {0, 1, 5, 1000, 300_000, 4 << 20}) {
                    if (level == 19 && length > 1000) {
                        continue;
                    }
                    byte[] noise = new byte[length];
                    random.nextBytes(noise);
                    for (byte[] plain : List.of(noise, Samples.text(random, length))) {
                        byte[] frame = Samples.dataFrame(sealer, plain);
                        assertThat(sealer.open(frame)).isEqualTo(plain);
                        assertThat(frame.length).isLessThanOrEqualTo(length + 80 + 5 + 16);
                    }
                }
            }
        }
    }

    @Test
    void compressionNeverGrowsAChunkAndShrinksText() throws Exception {
        try (Sealer sealer = Samples.sealer(1)) {
            byte[] text = Samples.text(new SplittableRandom(1), 100_000);
            assertThat(Samples.dataFrame(sealer, text).length).isLessThan(60_000);
            byte[] noise = Samples.bytes(1, 100_000);
            assertThat(Samples.dataFrame(sealer, noise).length).isEqualTo(100_000 + 101);
        }
    }

    @Test
    void idDependsOnKeyKindChildrenAndBytes() {
        byte[] plain = {1, 2, 3};
        try (Sealer sealer = Samples.sealer(1);
                Sealer other =
                        new Sealer(
                                DomainKey.generate(Samples.DOMAIN, 3, Samples.secureRandom(2)),
                                1)) {
            ChunkId id = sealer.id(plain, 0, 3);
            assertThat(sealer.id(plain, 0, 3)).isEqualTo(id);
            assertThat(other.id(plain, 0, 3)).isNotEqualTo(id);
            assertThat(sealer.id(plain, 0, 2)).isNotEqualTo(id);
            ChunkId node = sealer.id(FrameKind.NODE, plain, 0, 3, List.of());
            assertThat(node).isNotEqualTo(id);
            assertThat(sealer.id(FrameKind.NODE, plain, 0, 3, List.of(CHILD))).isNotEqualTo(node);
        }
    }

    @Test
    void anyChangedBitIsFound() throws Exception {
        try (Sealer sealer = Samples.sealer(1)) {
            byte[] plain = {5};
            ChunkId id = sealer.id(FrameKind.NODE, plain, 0, 1, List.of(CHILD));
            byte[] frame = sealer.seal(FrameKind.NODE, id, plain, 0, 1, List.of(CHILD));
            for (int bit = 0; bit < 8 * frame.length; bit++) {
                byte[] changed = frame.clone();
                changed[bit / 8] ^= (byte) (1 << bit % 8);
                assertThatThrownBy(() -> sealer.open(changed))
                        .as("bit %d", bit)
                        .isInstanceOf(StoreException.Corrupt.class);
            }
            assertThat(sealer.open(frame)).isEqualTo(plain);
        }
    }

    @Test
    void frameUnderAForeignIdIsFound() throws Exception {
        try (Sealer sealer = Samples.sealer(1)) {
            byte[] plain = {5};
            ChunkId wrong = sealer.id(new byte[] {6}, 0, 1);
            byte[] frame = sealer.seal(FrameKind.DATA, wrong, plain, 0, 1, List.of());
            assertThatThrownBy(() -> sealer.open(frame))
                    .isInstanceOf(StoreException.Corrupt.class)
                    .hasMessageContaining("holds the bytes of chunk");
            assertThatThrownBy(
                            () -> sealer.seal(FrameKind.NODE, wrong, plain, 0, 1, List.of(CHILD)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void frameOfAnotherDomainOrEpochIsNamed() throws Exception {
        byte[] frame;
        try (Sealer sealer = Samples.sealer(1)) {
            frame = Samples.dataFrame(sealer, new byte[10]);
        }
        byte[] secret = Samples.key().encoded();
        for (DomainKey other :
                List.of(
                        DomainKey.of(new UUID(1, 1), 3, secret),
                        DomainKey.of(Samples.DOMAIN, 4, secret))) {
            try (Sealer sealer = new Sealer(other, 0)) {
                assertThatThrownBy(() -> sealer.open(frame))
                        .isInstanceOf(StoreException.Corrupt.class)
                        .hasMessageContaining("with the key of domain");
            }
        }
    }

    /** Seals arbitrary bytes inside, as a hostile holder of the key could. */
    private static byte[] hostile(byte[] inner) throws Exception {
        byte[] secret = Samples.key().encoded();
        byte[] frame = new byte[80 + inner.length + 16];
        byte[] nonce = new byte[12];
        Frame.writeHeader(frame, FrameKind.DATA, Samples.DOMAIN, 3, CHILD, List.of(), nonce);
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(
                Cipher.ENCRYPT_MODE,
                new SecretKeySpec(secret, 32, 32, "AES"),
                new GCMParameterSpec(128, nonce));
        cipher.updateAAD(frame, 0, 80);
        cipher.doFinal(inner, 0, inner.length, frame, 80);
        return frame;
    }

    @Test
    void decompressionIsBounded() throws Exception {
        byte[] bomb = com.github.luben.zstd.Zstd.compress(new byte[64 << 20]);
        try (Sealer sealer = Samples.sealer(1)) {
            for (int claimed : new int[] {64 << 20, -1, 4 << 20, 10, 0, (4 << 20) + 1}) {
                byte[] inner =
                        ByteBuffer.allocate(5 + bomb.length)
                                .put((byte) 1)
                                .putInt(claimed)
                                .put(bomb)
                                .array();
                byte[] frame = hostile(inner);
                assertThatThrownBy(() -> sealer.open(frame))
                        .isInstanceOf(StoreException.Corrupt.class);
            }
            byte[] noZstd = hostile(new byte[] {1, 0, 0, 0, 9, 1, 2, 3});
            assertThatThrownBy(() -> sealer.open(noZstd))
                    .isInstanceOf(StoreException.Corrupt.class)
                    .hasMessageContaining("does not decompress");
            byte[] codec = hostile(new byte[] {2, 0, 0, 0, 3, 1, 2, 3});
            assertThatThrownBy(() -> sealer.open(codec))
                    .isInstanceOf(StoreException.Corrupt.class)
                    .hasMessageContaining("codec 2");
            byte[] lying = hostile(new byte[] {0, 0, 0, 0, 2, 1, 2, 3});
            assertThatThrownBy(() -> sealer.open(lying)).isInstanceOf(StoreException.Corrupt.class);
        }
    }

    @Test
    void refusesWhatDoesNotFitAFrame() {
        try (Sealer sealer = Samples.sealer(1)) {
            byte[] large = new byte[(4 << 20) + 1];
            assertThatThrownBy(() ->
                            sealer.seal(FrameKind.DATA, CHILD, large, 0, large.length, List.of()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(
                            () -> sealer.seal(FrameKind.DATA, CHILD, large, 0, 1, List.of(CHILD)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> sealer.id(FrameKind.PIECE, large, 0, 1, List.of(CHILD)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> new Sealer(Samples.key(), 23))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void noncesAreNotRepeated() {
        try (Sealer sealer = new Sealer(Samples.key(), 0)) {
            java.util.Set<ByteBuffer> nonces = new java.util.HashSet<>();
            for (int i = 0; i < 1000; i++) {
                byte[] frame = Samples.dataFrame(sealer, new byte[1]);
                assertThat(nonces.add(ByteBuffer.wrap(frame, 68, 12).slice())).isTrue();
            }
        }
    }
}
