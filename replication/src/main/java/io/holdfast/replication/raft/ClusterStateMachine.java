package io.holdfast.replication.raft;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.holdfast.agent.DurableFile;
import io.holdfast.replication.state.Applied;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Entry;
import io.holdfast.replication.state.WriteReplies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.ratis.io.MD5Hash;
import org.apache.ratis.proto.RaftProtos;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.MD5FileUtil;
import org.jspecify.annotations.Nullable;

/**
 * {@link ClusterState} as Ratis sees it: one for each lineage. Apply, snapshot and reload run on the
 * updater thread of Ratis; the view may be read from any thread.
 *
 * <p>Ratis logs and skips an apply that fails in its future, and keeps a process alive whose group
 * has closed itself. Neither may happen here: both are fatal ({@link RaftHost}).
 */
final class ClusterStateMachine extends BaseStateMachine {
    /** Ratis refuses larger entries: its appender's buffer is 4 MiB. */
    static final int MAX_ENTRY_BYTES = 3 << 20;

    /** A state and the last entry in it. */
    record View(ClusterState state, long term, long index) {
        static final View EMPTY = new View(ClusterState.empty(), 0, RaftLog.INVALID_LOG_INDEX);
    }

    private final UUID lineage;
    private final RaftHost host;
    private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();

    /** Held while the view changes and that is told, so that it is told in order. */
    private final Object lock = new Object();

    /** What is applied by Ratis since the start; changed by its updater thread only. */
    private volatile View applied = View.EMPTY;

    /** What is known to be applied: that, or what was applied before the start. Changed under the lock. */
    private volatile View view = View.EMPTY;

    private volatile Optional<ClusterState> planting = Optional.empty();
    private volatile @Nullable AppliedMark mark;
    private volatile @Nullable Path current;
    private @Nullable Path knownSegment;

    ClusterStateMachine(UUID lineage, RaftHost host) {
        this.lineage = lineage;
        this.host = host;
    }

    View view() {
        return view;
    }

    /** A state that a seed of this lineage may have: it need not be read from the seed's bytes. */
    void plants(Optional<ClusterState> known) {
        planting = known;
    }

    /** Up to where the log was applied before the start, where that is beyond the snapshot. */
    Optional<TermIndex> appliedBefore() throws IOException {
        AppliedMark known = mark;
        return known == null
                ? Optional.empty()
                : known.read().filter(m -> m.getIndex() > view.index());
    }

    /**
     * Shows again what was applied before the start, though nobody leads yet. Ratis applies it once
     * more when it knows what is committed; until it comes that far, that changes nothing here.
     */
    void show(View before) {
        synchronized (lock) {
            if (before.index() > view.index()) {
                view = before;
                host.applied(lineage, before);
            }
        }
    }

    // ------------------------------------------------------------------ life

    @Override
    public void initialize(RaftServer server, RaftGroupId groupId, RaftStorage raftStorage)
            throws IOException {
        super.initialize(server, groupId, raftStorage);
        current = raftStorage.getStorageDir().getCurrentDir().toPath();
        mark = AppliedMark.open(raftStorage.getStorageDir().getRoot().toPath().resolve("applied"));
        getLifeCycle()
                .startAndTransition(
                        () -> {
                            storage.init(raftStorage);
                            load();
                        },
                        IOException.class);
    }

    @Override
    public void pause() {
        getLifeCycle().transition(LifeCycle.State.PAUSING);
        getLifeCycle().transition(LifeCycle.State.PAUSED);
    }

    @Override
    public void reinitialize() throws IOException {
        load();
        if (getLifeCycleState() == LifeCycle.State.PAUSED) {
            getLifeCycle().transition(LifeCycle.State.STARTING);
            getLifeCycle().transition(LifeCycle.State.RUNNING);
        }
        View v = view;
        host.applied(lineage, v);
    }

    private void load() throws IOException {
        SingleFileSnapshotInfo latest = storage.loadLatestSnapshot();
        if (latest == null) {
            return;
        }
        SnapshotFile.Content content = SnapshotFile.read(latest.getFile().getPath());
        if (content.index() < applied.index()) {
            throw new IOException(
                    "Snapshot "
                            + latest.getFile().getPath()
                            + " is older than the state in memory, "
                            + applied.index());
        }
        applied = new View(content.state(), content.term(), content.index());
        synchronized (lock) {
            if (applied.index() > view.index()) {
                view = applied;
            }
        }
        setLastAppliedTermIndex(TermIndex.valueOf(content.term(), content.index()));
    }

    @Override
    public void close() throws IOException {
        AppliedMark open = mark;
        if (open != null) {
            open.close();
        }
        host.divisionClosed(lineage);
    }

    @Override
    public SimpleStateMachineStorage getStateMachineStorage() {
        return storage;
    }

    // ------------------------------------------------------------------ writes

    /** On the leader, before the entry is appended: gives it the leader's time. */
    @Override
    public TransactionContext startTransaction(RaftClientRequest request) throws IOException {
        try {
            Entry entry = Entry.parse(ours(request.getMessage().getContent()));
            ByteString stamped = entry.at(host.nowMicros()).toBytes();
            if (stamped.size() > MAX_ENTRY_BYTES) {
                throw new IllegalArgumentException(
                        "Refused a command of "
                                + stamped.size()
                                + " bytes; at most "
                                + MAX_ENTRY_BYTES
                                + " fit into an entry.");
            }
            return TransactionContext.newBuilder()
                    .setStateMachine(this)
                    .setClientRequest(request)
                    .setLogData(theirs(stamped))
                    .build();
        } catch (RuntimeException e) {
            return TransactionContext.newBuilder()
                    .setStateMachine(this)
                    .setClientRequest(request)
                    .build()
                    .setException(e);
        }
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        RaftProtos.LogEntryProto logged = transaction.getLogEntry();
        try {
            Entry entry = Entry.parse(ours(logged.getStateMachineLogEntry().getLogData()));
            Applied done = applied.state().apply(entry, logged.getIndex(), planting);
            advance(done.state(), logged.getTerm(), logged.getIndex());
            return CompletableFuture.completedFuture(
                    Message.valueOf(
                            theirs(
                                    WriteReplies.bytes(
                                            new WriteReplies.WriteReply(
                                                    done.reply(),
                                                    done.firstIndex(),
                                                    logged.getTerm())))));
        } catch (RuntimeException e) {
            host.fatal(
                    "Entry "
                            + logged.getTerm()
                            + ":"
                            + logged.getIndex()
                            + " of lineage "
                            + lineage
                            + " cannot be applied: "
                            + e.getMessage(),
                    e);
            throw e; // stops the updater: nothing after this entry is applied
        }
    }

    /** Entries of Raft itself count, too. */
    @Override
    public void notifyTermIndexUpdated(long term, long index) {
        advance(applied.state(), term, index);
    }

    private void advance(ClusterState state, long term, long index) {
        View next = new View(state, term, index);
        applied = next;
        updateLastAppliedTermIndex(term, index);
        synchronized (lock) {
            if (index <= view.index()) {
                return;
            }
            view = next;
            AppliedMark open = mark;
            if (open != null) {
                open.write(term, index);
            }
            host.applied(lineage, next);
        }
    }

    // ------------------------------------------------------------------ reads

    /** Answers with nothing: the asker reads the view after the answer. */
    @Override
    public CompletableFuture<Message> query(Message request) {
        return CompletableFuture.completedFuture(Message.EMPTY);
    }

    // ------------------------------------------------------------------ disk

    @Override
    public long takeSnapshot() throws IOException {
        View v = applied;
        if (v.index() < 0) {
            return RaftLog.INVALID_LOG_INDEX;
        }
        Path file = storage.getSnapshotFile(v.term(), v.index()).toPath();
        SnapshotFile.write(file, new SnapshotFile.Content(v.state(), v.term(), v.index()));
        MD5Hash md5 = MD5FileUtil.computeAndSaveMd5ForFile(file.toFile());
        DurableFile.syncParent(file);
        storage.updateLatestSnapshot(
                new SingleFileSnapshotInfo(new FileInfo(file, md5), v.term(), v.index()));
        return v.index();
    }

    /**
     * Called by the log's worker before each fsync of the log, hence before anything in it is
     * acknowledged. Ratis never makes the names of its files durable (DR-PROTOCOL 2.3, item 3), so a
     * new segment's name is made durable here. Runs on that worker's thread only.
     */
    @Override
    public CompletableFuture<Void> flush(long index) {
        Path folder = current;
        if (folder == null || knownSegment != null && Files.exists(knownSegment)) {
            return CompletableFuture.completedFuture(null);
        }
        try (Stream<Path> files = Files.list(folder)) {
            knownSegment =
                    files.filter(f -> f.getFileName().toString().startsWith("log_inprogress"))
                            .findFirst()
                            .orElse(null);
            DurableFile.syncFolder(folder);
            return CompletableFuture.completedFuture(null);
        } catch (IOException e) {
            host.fatal("The folder " + folder + " cannot be made durable: " + e.getMessage(), e);
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Term and vote were written: makes the name of that file durable, as soon as Ratis tells. */
    private void syncMetadata() {
        Path folder = current;
        if (folder != null && Files.isDirectory(folder)) {
            try {
                DurableFile.syncFolder(folder);
            } catch (IOException e) {
                host.fatal(
                        "The folder " + folder + " cannot be made durable: " + e.getMessage(), e);
            }
        }
    }

    // ------------------------------------------------------------------ events

    @Override
    public void notifyLeaderChanged(RaftGroupMemberId member, @Nullable RaftPeerId leader) {
        syncMetadata();
        host.leaderChanged(lineage, Optional.ofNullable(leader).map(RaftHost::nodeOf));
    }

    @Override
    public void notifyLeaderReady() {
        host.leaderReady(lineage);
    }

    @Override
    public void notifyNotLeader(Collection<TransactionContext> pending) {
        host.notLeader(lineage);
    }

    @Override
    public void notifyExtendedNoLeader(RaftProtos.RoleInfoProto role) {
        host.noLeader(lineage);
    }

    @Override
    public void notifyConfigurationChanged(
            long term, long index, RaftProtos.RaftConfigurationProto configuration) {
        host.membersChanged(lineage);
    }

    @Override
    public void notifyLogFailed(Throwable cause, RaftProtos.@Nullable LogEntryProto entry) {
        host.fatal(
                "The Raft log of lineage "
                        + lineage
                        + " failed: "
                        + cause.getMessage()
                        + ". Free space, or replace the disk, then start this node again.",
                cause);
    }

    @Override
    public void notifyServerShutdown(RaftProtos.RoleInfoProto role, boolean allServer) {
        host.divisionClosed(lineage);
    }

    // ------------------------------------------------------------------ bytes

    static ByteString ours(org.apache.ratis.thirdparty.com.google.protobuf.ByteString bytes) {
        return UnsafeByteOperations.unsafeWrap(bytes.asReadOnlyByteBuffer());
    }

    static org.apache.ratis.thirdparty.com.google.protobuf.ByteString theirs(ByteString bytes) {
        return org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations.unsafeWrap(
                bytes.asReadOnlyByteBuffer());
    }
}
