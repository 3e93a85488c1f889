package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import io.holdfast.standard.Epoch;
import java.util.UUID;

/**
 * One entry of the log: who proposes what, in which epoch.
 *
 * @param operation a repeated one returns the first reply
 * @param epoch of the proposer: refused unless it is the state's (for an {@link
 *     Command.EpochChange} and seeding: unless it is not lower)
 * @param timeMicros leader's time when it appended the entry, epoch microseconds; 0 in a proposal
 * @param command what to do
 */
public record Entry(UUID operation, Epoch epoch, long timeMicros, Command command) {
    /** The version of entries that this program writes, and the only one it reads. */
    public static final int VERSION = 1;

    /** The bytes, as in {@code cluster.proto}. */
    public ByteString toBytes() {
        return Codec.entry(this).toByteString();
    }

    /**
     * Reads {@link #toBytes()}.
     *
     * @throws UnknownVersionException when a newer program wrote it
     * @throws io.holdfast.standard.FormatException when it is damaged
     */
    public static Entry parse(ByteString bytes) {
        return Codec.entry(bytes);
    }

    /** The same entry with the leader's time. */
    public Entry at(long micros) {
        return new Entry(operation, epoch, micros, command);
    }
}
