package io.holdfast.chunk;

import io.holdfast.standard.FormatException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/** Argon2id by Bouncy Castle: the one class here that needs it, loaded only for passphrase slots. */
final class Argon2id {
    private Argon2id() {}

    /**
     * What a guess costs.
     *
     * @param memoryKib 8 per lane to 256 MiB
     * @param iterations 1 to 16
     * @param lanes 1 to 16
     */
    record Cost(int memoryKib, int iterations, int lanes) {
        /** RFC 9106, second recommendation: fits an agent's heap. */
        static final Cost DEFAULT = new Cost(64 << 10, 3, 4);

        Cost {
            if (lanes < 1
                    || lanes > 16
                    || iterations < 1
                    || iterations > 16
                    || memoryKib < 8 * lanes
                    || memoryKib > 256 << 10) {
                throw new FormatException(
                        "Argon2id cost",
                        memoryKib + " KiB, " + iterations + " iterations, " + lanes + " lanes",
                        0,
                        "at most 262144 KiB, 16 iterations, 16 lanes");
            }
        }
    }

    static byte[] derive(char[] passphrase, byte[] salt, Cost cost, int bytes) {
        byte[] space = new byte[3 * passphrase.length];
        ByteBuffer utf8 = ByteBuffer.wrap(space);
        StandardCharsets.UTF_8
                .newEncoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .encode(CharBuffer.wrap(passphrase), utf8, true);
        byte[] secret = Arrays.copyOf(space, utf8.position());
        try {
            Argon2BytesGenerator generator = new Argon2BytesGenerator();
            generator.init(
                    new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
                            .withMemoryAsKB(cost.memoryKib())
                            .withIterations(cost.iterations())
                            .withParallelism(cost.lanes())
                            .withSalt(salt)
                            .build());
            byte[] derived = new byte[bytes];
            generator.generateBytes(secret, derived);
            return derived;
        } finally {
            Arrays.fill(secret, (byte) 0);
            Arrays.fill(space, (byte) 0);
        }
    }
}
