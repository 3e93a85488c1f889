package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameTest {
    @Test
    void headerSaysWhatWasSealed() throws Exception {
        ChunkId child = ChunkId.of(Samples.bytes(7, 32));
        try (Sealer sealer = Samples.sealer(1)) {
            byte[] plain = new byte[10];
            ChunkId id = sealer.id(FrameKind.NODE, plain, 0, 10, List.of(child));
            byte[] frame = sealer.seal(FrameKind.NODE, id, plain, 0, 10, List.of(child));
            assertThat(Frame.parse(frame, 0, frame.length))
                    .isEqualTo(
                            new Frame.Header(
                                    FrameKind.NODE,
                                    Samples.DOMAIN,
                                    3,
                                    id,
                                    List.of(child),
                                    112,
                                    frame.length));
            byte[] padded = new byte[frame.length + 7];
            System.arraycopy(frame, 0, padded, 7, frame.length);
            assertThat(Frame.parse(padded, 7, frame.length).id()).isEqualTo(id);
        }
    }

    @Test
    void unknownVersionAndKindAreRefusedByName() {
        byte[] frame;
        try (Sealer sealer = Samples.sealer(1)) {
            frame = Samples.dataFrame(sealer, new byte[10]);
        }
        byte[] later = frame.clone();
        later[4] = 2;
        assertThatThrownBy(() -> Frame.parse(later, 0, later.length))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("version 2 is unknown here");
        byte[] kind = frame.clone();
        kind[5] = 9;
        assertThatThrownBy(() -> Frame.parse(kind, 0, kind.length))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("kind 9");
        byte[] flags = frame.clone();
        flags[7] = 1;
        assertThatThrownBy(() -> Frame.parse(flags, 0, flags.length))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("reserved");
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void parsersTakeAnyBytesWithoutHarm(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[][] whole = Samples.pieceFrames(seed, 3).toArray(byte[][]::new);
        try (Sealer sealer = Samples.sealer(seed)) {
            for (int i = 0; i < 5000; i++) {
                byte[] bytes = mutate(whole[random.nextInt(whole.length)], random);
                onlyCorrupt(() -> Frame.parse(bytes, 0, bytes.length));
                onlyCorrupt(() -> PieceHeader.parse(bytes));
                onlyCorrupt(() -> sealer.open(bytes));
            }
        }
    }

    static byte[] mutate(byte[] whole, SplittableRandom random) {
        byte[] bytes =
                random.nextInt(4) == 0
                        ? Arrays.copyOf(whole, random.nextInt(whole.length + 40))
                        : whole.clone();
        for (int n = random.nextInt(4); n > 0 && bytes.length > 0; n--) {
            int at = random.nextInt(Math.min(bytes.length, random.nextBoolean() ? 120 : 1 << 20));
            bytes[at] = (byte) (random.nextBoolean() ? random.nextInt() : random.nextInt(3) - 1);
        }
        return bytes;
    }

    interface Action {
        void run() throws Exception;
    }

    static void onlyCorrupt(Action action) {
        try {
            action.run();
        } catch (StoreException.Corrupt e) {
            assertThat(e.getMessage()).isNotBlank();
        } catch (Exception e) {
            throw new AssertionError("expected StoreException.Corrupt or success", e);
        }
    }
}
