package io.holdfast.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.holdfast.agent.proto.v1.PutRequest;
import io.holdfast.agent.wire.Wire;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PutFrameTest {
    private final BufferPool pool = new BufferPool(2);
    private final PutRequest request =
            PutRequest.newBuilder()
                    .setContext(Wire.context(UUID.randomUUID(), new Epoch(1, Site.LOCAL)))
                    .setSession(Wire.bytes(UUID.randomUUID()))
                    .setSequence(300)
                    .setFrame(ByteString.copyFromUtf8("a frame of some bytes"))
                    .build();

    private PutFrame parse(byte[] bytes) {
        return PutFrame.marshaller(pool).parse(new ByteArrayInputStream(bytes));
    }

    @Test
    void readsWhatProtobufWrites() {
        PutFrame frame = parse(request.toByteArray());
        assertThat(frame.malformed).isEmpty();
        assertThat(frame.context).isEqualTo(request.getContext());
        assertThat(frame.session).isEqualTo(request.getSession());
        assertThat(frame.sequence).isEqualTo(300);
        assertThat(Arrays.copyOf(frame.buffer, frame.length))
                .isEqualTo(request.getFrame().toByteArray());
        byte[] buffer = frame.buffer;
        frame.recycle();
        assertThat(parse(request.toByteArray()).buffer).isSameAs(buffer);
    }

    @Test
    void takesFieldsInAnyOrderAndSkipsUnknownOnes() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.writeFixed64(90, 1);
        out.writeBytes(4, ByteString.copyFromUtf8("first"));
        out.writeFixed32(91, 1);
        out.writeUInt64(3, 7);
        out.writeUInt64(92, -1);
        out.writeBytes(93, ByteString.copyFromUtf8("unknown"));
        out.writeBytes(4, ByteString.copyFromUtf8("last wins"));
        out.flush();
        PutFrame frame = parse(bytes.toByteArray());
        assertThat(frame.malformed).isEmpty();
        assertThat(frame.context).isNull();
        assertThat(frame.sequence).isEqualTo(7);
        assertThat(
                        new String(
                                frame.buffer,
                                0,
                                frame.length,
                                java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("last wins");
    }

    @Test
    void neverThrowsOnGarbage() {
        byte[] whole = request.toByteArray();
        for (int length = 0; length < whole.length; length++) {
            assertThat(parse(Arrays.copyOf(whole, length)).length).isNotNegative();
        }
        SplittableRandom random = new SplittableRandom(4711);
        for (int round = 0; round < 5_000; round++) {
            byte[] damaged = whole.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            assertThat(parse(damaged)).isNotNull();
        }
        assertThat(parse(Arrays.copyOf(whole, whole.length - 1)).malformed).contains("cut off");
    }
}
