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
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PutFramesTest {
    private final BufferPool pool = new BufferPool(2);
    private final PutRequest request =
            PutRequest.newBuilder()
                    .setContext(Wire.context(UUID.randomUUID(), new Epoch(1, Site.LOCAL)))
                    .setSession(Wire.bytes(UUID.randomUUID()))
                    .setSequence(300)
                    .addFrames(ByteString.copyFromUtf8("a frame of some bytes"))
                    .addFrames(ByteString.EMPTY)
                    .addFrames(ByteString.copyFrom(new byte[70_000]))
                    .build();

    private PutFrames parse(byte[] bytes) {
        return PutFrames.marshaller(pool).parse(new ByteArrayInputStream(bytes));
    }

    @Test
    void readsWhatProtobufWrites() {
        PutFrames frames = parse(request.toByteArray());
        assertThat(frames.malformed).isEmpty();
        assertThat(frames.context).isEqualTo(request.getContext());
        assertThat(frames.session).isEqualTo(request.getSession());
        assertThat(frames.sequence).isEqualTo(300);
        assertThat(texts(frames)).isEqualTo(request.getFramesList());
        byte[] buffer = frames.buffer;
        frames.recycle();
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
        out.writeBytes(4, ByteString.copyFromUtf8("second"));
        out.flush();
        PutFrames frames = parse(bytes.toByteArray());
        assertThat(frames.malformed).isEmpty();
        assertThat(frames.context).isNull();
        assertThat(frames.sequence).isEqualTo(7);
        assertThat(texts(frames))
                .containsExactly(
                        ByteString.copyFromUtf8("first"), ByteString.copyFromUtf8("second"));
    }

    @Test
    void boundsHowManyFramesTravelTogether() {
        PutRequest.Builder many = PutRequest.newBuilder();
        for (int i = 0; i < PutFrames.MAX_FRAMES; i++) {
            many.addFrames(ByteString.copyFrom(new byte[] {(byte) i}));
        }
        assertThat(texts(parse(many.build().toByteArray()))).isEqualTo(many.getFramesList());
        PutFrames more = parse(many.addFrames(ByteString.EMPTY).build().toByteArray());
        assertThat(more.malformed).isEqualTo("more than 4096 frames in one request");
        assertThat(more.count()).isZero();
    }

    private static List<ByteString> texts(PutFrames frames) {
        return IntStream.range(0, frames.count())
                .mapToObj(
                        i -> ByteString.copyFrom(frames.buffer, frames.offset(i), frames.length(i)))
                .toList();
    }

    @Test
    void neverThrowsOnGarbage() {
        byte[] whole = request.toByteArray();
        for (int length = 0; length < whole.length; length++) {
            assertThat(parse(Arrays.copyOf(whole, length)).count()).isBetween(0, 3);
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
