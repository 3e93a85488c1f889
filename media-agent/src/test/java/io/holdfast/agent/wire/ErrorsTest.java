package io.holdfast.agent.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.holdfast.agent.epoch.EpochGuard;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.RequestContext;
import io.holdfast.chunk.ChunkId;
import io.holdfast.chunk.StoreException;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import io.holdfast.standard.Site;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ErrorsTest {
    private static final Epoch THREE = new Epoch(3, Site.DR);

    @ParameterizedTest
    @EnumSource(ErrorDetail.Code.class)
    void everyDetailArrivesAsItWasSent(ErrorDetail.Code code) {
        if (code == ErrorDetail.Code.UNRECOGNIZED) {
            return;
        }
        RemoteException told = Errors.of(Errors.status(code, "what", "next", THREE));
        switch (code) {
            case CODE_UNSPECIFIED -> assertThat(told).isInstanceOf(RemoteException.Unknown.class);
            case UNAVAILABLE -> assertThat(told).isInstanceOf(RemoteException.Unavailable.class);
            default ->
                    assertThat(told)
                            .isInstanceOfSatisfying(
                                    RemoteException.Refused.class,
                                    e -> {
                                        assertThat(e.code()).isEqualTo(code);
                                        assertThat(e).hasMessage("what. next");
                                        assertThat(e.maxEpoch()).contains(THREE);
                                    });
        }
    }

    @ParameterizedTest
    @EnumSource(Status.Code.class)
    void statusWithoutDetail(Status.Code code) {
        if (code == Status.Code.OK) {
            return;
        }
        Class<?> expected =
                switch (code) {
                    case UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED ->
                            RemoteException.Refused.class;
                    default -> RemoteException.Unknown.class;
                };
        assertThat(Errors.of(code.toStatus().asRuntimeException())).isInstanceOf(expected);

        Metadata notSent = new Metadata();
        notSent.put(Errors.NOT_SENT, "1");
        assertThat(Errors.of(code.toStatus().asRuntimeException(notSent)))
                .isInstanceOf(RemoteException.Unavailable.class);
    }

    @Test
    void damagedDetailIsUnknown() {
        Metadata trailers = new Metadata();
        trailers.put(Errors.DETAIL, new byte[] {1, 2, 3});
        assertThat(Errors.of(Status.NOT_FOUND.asRuntimeException(trailers)))
                .isInstanceOf(RemoteException.Unknown.class);
    }

    @Test
    void storeErrorsKeepTheirFamily() {
        assertThat(codeOf(new StoreException.Full("full", new java.io.IOException())))
                .isEqualTo(ErrorDetail.Code.FULL);
        assertThat(codeOf(new StoreException.Missing("x"))).isEqualTo(ErrorDetail.Code.NOT_FOUND);
        assertThat(codeOf(new StoreException.Corrupt("x"))).isEqualTo(ErrorDetail.Code.CORRUPT);
        assertThat(codeOf(new FormatException("a", "b", 0, "c")))
                .isEqualTo(ErrorDetail.Code.REFUSED);
        assertThat(
                        Errors.of(
                                Errors.fromHandler(
                                        new StoreException.Failed("x", new java.io.IOException()))))
                .isInstanceOf(RemoteException.Unknown.class);
    }

    private static ErrorDetail.Code codeOf(Throwable thrown) {
        return ((RemoteException.Refused) Errors.of(Errors.fromHandler(thrown))).code();
    }

    @Test
    void contextIsChecked(@TempDir Path folder) throws Exception {
        UUID cluster = UUID.randomUUID();
        EpochGuard guard = EpochGuard.create(folder.resolve("epoch"), new Epoch(2, Site.LOCAL));
        ContextCheck check = new ContextCheck(cluster, guard);
        UUID operation = UUID.randomUUID();
        assertThat(check.accept(Wire.context(cluster, THREE, operation)))
                .isEqualTo(new ContextCheck.Accepted(THREE, false, operation));
        assertThat(EpochGuard.open(guard.file()).max()).isEqualTo(THREE);

        RequestContext stale = Wire.context(cluster, new Epoch(2, Site.LOCAL));
        assertThatThrownBy(() -> check.accept(stale))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> {
                            RemoteException.Refused refused =
                                    (RemoteException.Refused) Errors.of(e);
                            assertThat(refused.stale()).isTrue();
                            assertThat(refused.maxEpoch()).contains(THREE);
                        });
        assertThat(check.acceptStale(stale).stale()).isTrue();

        RequestContext good = Wire.context(cluster, THREE);
        assertRefused(check, Wire.context(UUID.randomUUID(), THREE), ErrorDetail.Code.UNAUTHORIZED);
        assertRefused(
                check, good.toBuilder().setProtocol(2).build(), ErrorDetail.Code.WRONG_VERSION);
        assertRefused(
                check,
                good.toBuilder().setCluster(ByteString.copyFromUtf8("x")).build(),
                ErrorDetail.Code.REFUSED);
        assertRefused(check, good.toBuilder().setEpoch(7).build(), ErrorDetail.Code.REFUSED);
        assertRefused(check, good.toBuilder().setEpoch(-1).build(), ErrorDetail.Code.REFUSED);
        assertRefused(check, RequestContext.getDefaultInstance(), ErrorDetail.Code.WRONG_VERSION);
        assertThat(guard.max()).isEqualTo(THREE);
    }

    private static void assertRefused(
            ContextCheck check, RequestContext context, ErrorDetail.Code code) {
        assertThatThrownBy(() -> check.acceptStale(context))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e ->
                                assertThat(((RemoteException.Refused) Errors.of(e)).code())
                                        .isEqualTo(code));
    }

    @Test
    void idsAndBitsRoundTrip() {
        List<ChunkId> ids = List.of(id(1), id(2), id(3));
        assertThat(Wire.chunkIds(Wire.bytes(ids), 3)).isEqualTo(ids);
        assertThatThrownBy(() -> Wire.chunkIds(Wire.bytes(ids), 2))
                .isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> Wire.chunkIds(ByteString.copyFrom(new byte[33]), 9))
                .isInstanceOf(FormatException.class);
        BitSet bits = new BitSet();
        bits.set(0);
        bits.set(9);
        assertThat(Wire.bytes(bits, 12).toByteArray()).containsExactly(1, 2);
        assertThat(Wire.bytes(new BitSet(), 12).size()).isEqualTo(2);
        assertThat(Wire.bits(Wire.bytes(bits, 12))).isEqualTo(bits);
        UUID uuid = UUID.randomUUID();
        assertThat(Wire.uuid(Wire.bytes(uuid), "x")).isEqualTo(uuid);
    }

    private static ChunkId id(int first) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) first;
        return ChunkId.of(bytes);
    }
}
