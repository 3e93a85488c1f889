package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.holdfast.standard.FormatException;

/** The answer to a write as bytes: message {@code Reply} of {@code cluster.proto}. */
public final class WriteReplies {
    private WriteReplies() {}

    /**
     * A reply with its place in the log.
     *
     * @param reply the state machine's answer
     * @param index of the entry that was first answered so
     * @param term of the entry that brought this answer
     */
    public record WriteReply(Reply reply, long index, long term) {}

    /** The bytes of a reply. */
    public static ByteString bytes(WriteReply reply) {
        return Codec.reply(reply.reply()).toBuilder()
                .setIndex(reply.index())
                .setTerm(reply.term())
                .build()
                .toByteString();
    }

    /** Reads {@link #bytes}. @throws FormatException when they are damaged */
    public static WriteReply parse(ByteString bytes) {
        try {
            var p = io.holdfast.replication.proto.cluster.v1.Reply.parseFrom(bytes);
            return new WriteReply(Codec.reply(p), p.getIndex(), p.getTerm());
        } catch (InvalidProtocolBufferException e) {
            throw new FormatException("reply", String.valueOf(e.getMessage()), 0, "cluster.proto");
        }
    }
}
