package io.holdfast.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.standard.FormatException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPrivateKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class KeySlotTest {
    /** Any 32 bytes are an X25519 private key. */
    private static final byte[] AGENT_PRIVATE =
            HexFormat.of()
                    .parseHex("77076d0a7318a57d3c16c17251b26645d66c4b2dd9e1d6f2b1f9f2c1c7b2d0a5");

    private static KeyPair pair(long seed) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("X25519");
        generator.initialize(NamedParameterSpec.X25519, Samples.secureRandom(seed));
        return generator.generateKeyPair();
    }

    private static byte[] agentSlot(KeyPair agent) {
        return KeySlot.sealForAgent(
                Samples.key(), KeySlot.rawPublicKey(agent.getPublic()), Samples.secureRandom(10));
    }

    private static void assertIsTheKey(DomainKey opened) {
        assertThat(opened.encoded()).isEqualTo(Samples.key().encoded());
        assertThat(opened.domain()).isEqualTo(Samples.DOMAIN);
        assertThat(opened.keyEpoch()).isEqualTo(3);
    }

    @Test
    void goldenAgentSlot() throws Exception {
        PrivateKey own =
                KeyFactory.getInstance("X25519")
                        .generatePrivate(
                                new XECPrivateKeySpec(NamedParameterSpec.X25519, AGENT_PRIVATE));
        if (Boolean.getBoolean("golden.rewrite")) {
            // The public key by X25519 with the base point 9.
            byte[] base = new byte[44];
            System.arraycopy(HexFormat.of().parseHex("302a300506032b656e032100"), 0, base, 0, 12);
            base[12] = 9;
            javax.crypto.KeyAgreement agreement = javax.crypto.KeyAgreement.getInstance("X25519");
            agreement.init(own);
            agreement.doPhase(
                    KeyFactory.getInstance("X25519")
                            .generatePublic(new java.security.spec.X509EncodedKeySpec(base)),
                    true);
            Golden.assertMatches(
                    "key-slot-agent.hex",
                    KeySlot.sealForAgent(
                            Samples.key(), agreement.generateSecret(), Samples.secureRandom(10)));
        }
        assertIsTheKey(KeySlot.openAsAgent(Golden.read("key-slot-agent.hex"), own));
    }

    @Test
    void goldenPassphraseSlot() throws Exception {
        char[] passphrase = "correct horse – batterie".toCharArray();
        byte[] slot =
                KeySlot.sealWithPassphrase(Samples.key(), passphrase, Samples.secureRandom(11));
        Golden.assertMatches("key-slot-passphrase.hex", slot);
        assertIsTheKey(
                KeySlot.openWithPassphrase(Golden.read("key-slot-passphrase.hex"), passphrase));
        assertThatThrownBy(() -> KeySlot.openWithPassphrase(slot, "wrong".toCharArray()))
                .isInstanceOf(WrongPassphrase.class)
                .hasMessageContaining(Samples.DOMAIN.toString())
                .hasMessageNotContaining("correct");
    }

    @Test
    void agentSlotOpensForItsAgentAlone() throws Exception {
        KeyPair agent = pair(1);
        byte[] slot = agentSlot(agent);
        assertIsTheKey(KeySlot.openAsAgent(slot, agent.getPrivate()));
        PrivateKey other = pair(2).getPrivate();
        assertThatThrownBy(() -> KeySlot.openAsAgent(slot, other))
                .isInstanceOf(WrongAgentKey.class)
                .hasMessageContaining(Samples.DOMAIN.toString());
    }

    @Test
    void everySlotIsAnother() throws Exception {
        byte[] to = KeySlot.rawPublicKey(pair(1).getPublic());
        java.security.SecureRandom random = new java.security.SecureRandom();
        assertThat(KeySlot.sealForAgent(Samples.key(), to, random))
                .isNotEqualTo(KeySlot.sealForAgent(Samples.key(), to, random));
    }

    @Test
    void anyChangedByteOfAnAgentSlotIsFound() throws Exception {
        KeyPair agent = pair(1);
        byte[] slot = agentSlot(agent);
        for (int at = 0; at < slot.length; at++) {
            byte[] changed = slot.clone();
            changed[at] ^= 1;
            assertThatThrownBy(() -> KeySlot.openAsAgent(changed, agent.getPrivate()))
                    .as("byte %d", at)
                    .isInstanceOfAny(WrongAgentKey.class, FormatException.class);
        }
    }

    @Test
    void malformedSlotsAreRefusedWithoutWork() throws Exception {
        byte[] slot =
                KeySlot.sealWithPassphrase(
                        Samples.key(), "x".toCharArray(), Samples.secureRandom(1));
        for (int length : new int[] {0, 1, 27, 28, slot.length - 1, slot.length + 1}) {
            assertThatThrownBy(() ->
                            KeySlot.openWithPassphrase(
                                    Arrays.copyOf(slot, length), "x".toCharArray()))
                    .isInstanceOf(FormatException.class);
        }
        byte[] version = slot.clone();
        version[4] = 2;
        assertThatThrownBy(() -> KeySlot.openWithPassphrase(version, "x".toCharArray()))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("version 2");
        PrivateKey agent = pair(1).getPrivate();
        assertThatThrownBy(() -> KeySlot.openAsAgent(slot, agent))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("holder 2");
        byte[] huge = slot.clone();
        huge[44] = 0x7f; // terabytes of memory
        assertThatThrownBy(() -> KeySlot.openWithPassphrase(huge, "x".toCharArray()))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("Argon2id cost");
    }

    @Test
    void fuzzedAgentSlotsDoNoHarm() throws Exception {
        KeyPair agent = pair(1);
        byte[] slot = agentSlot(agent);
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 300; i++) {
            byte[] bytes = FrameTest.mutate(slot, random);
            try {
                KeySlot.openAsAgent(bytes, agent.getPrivate());
            } catch (WrongAgentKey | FormatException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    @Test
    void badPublicKeysAreRefused() {
        assertThatThrownBy(() ->
                        KeySlot.sealForAgent(Samples.key(), new byte[31], Samples.secureRandom(1)))
                .isInstanceOf(FormatException.class);
        assertThatThrownBy(() ->
                        KeySlot.sealForAgent(Samples.key(), new byte[32], Samples.secureRandom(1)))
                .isInstanceOf(FormatException.class);
    }

    @Test
    void keysPrintNoSecretsAndCanBeWiped() {
        DomainKey key = Samples.key();
        assertThat(key.toString()).doesNotContain(HexFormat.of().formatHex(key.encoded(), 0, 4));
        key.close();
        assertThat(key.encoded()).containsOnly(0);
        assertThatThrownBy(() -> DomainKey.of(Samples.DOMAIN, 1, new byte[63]))
                .isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> DomainKey.of(Samples.DOMAIN, -1, new byte[64]))
                .isInstanceOf(FormatException.class);
    }
}
