package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PieceHeaderTest {
    private static final ChunkId ROOT = ChunkId.of(Samples.bytes(6, 32));

    @Test
    void goldenFrame() throws Exception {
        PieceHeader piece = Samples.piece(ROOT);
        Golden.assertMatches("frame-piece.hex", piece.frame());
        assertThat(PieceHeader.parse(Golden.read("frame-piece.hex"))).isEqualTo(piece);
    }

    @Test
    void headerIsClearAndItsIdIsTheDigestOfItsBody() throws Exception {
        PieceHeader piece = Samples.piece(ROOT);
        byte[] frame = piece.frame();
        Frame.Header header = Frame.parse(frame, 0, frame.length);
        assertThat(header.kind()).isEqualTo(FrameKind.PIECE);
        assertThat(header.children()).containsExactly(ROOT);
        assertThat(header.id()).isEqualTo(piece.id());
        byte[] body = Arrays.copyOfRange(frame, header.headerBytes(), frame.length);
        assertThat(MessageDigest.getInstance("SHA-256").digest(body)).isEqualTo(piece.id().bytes());
    }

    @Test
    void anyChangedBitIsFound() {
        byte[] frame = Samples.piece(ROOT).frame();
        for (int bit = 0; bit < 8 * frame.length; bit++) {
            int at = bit / 8;
            // Domain and key epoch are not under the id: a catalog checks them by reading the
            // piece.
            if (at >= 8 && at < 28) {
                continue;
            }
            byte[] changed = frame.clone();
            changed[at] ^= (byte) (1 << bit % 8);
            assertThatThrownBy(() -> PieceHeader.parse(changed))
                    .as("bit %d", bit)
                    .isInstanceOf(StoreException.Corrupt.class);
        }
    }

    @Test
    void refusesOtherKinds() {
        try (Sealer sealer = Samples.sealer(1)) {
            byte[] data = Samples.dataFrame(sealer, new byte[3]);
            assertThatThrownBy(() -> PieceHeader.parse(data))
                    .isInstanceOf(StoreException.Corrupt.class)
                    .hasMessageContaining("DATA");
        }
    }

    @Test
    void refusesANonCanonicalBody() throws Exception {
        byte[] frame = Samples.piece(ROOT).frame();
        byte[] body = Arrays.copyOfRange(frame, 112, frame.length);
        byte[] longer = Arrays.copyOf(body, body.length + 2);
        longer[body.length] = 0x08; // version again
        longer[body.length + 1] = 0x01;
        byte[] forged = new byte[112 + longer.length];
        Frame.writeHeader(
                forged,
                FrameKind.PIECE,
                Samples.DOMAIN,
                3,
                ChunkId.of(MessageDigest.getInstance("SHA-256").digest(longer)),
                List.of(ROOT),
                new byte[12]);
        System.arraycopy(longer, 0, forged, 112, longer.length);
        assertThatThrownBy(() -> PieceHeader.parse(forged))
                .isInstanceOf(StoreException.Corrupt.class)
                .hasMessageContaining("canonical");
    }
}
