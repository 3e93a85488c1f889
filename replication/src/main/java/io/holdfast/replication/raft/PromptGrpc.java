package io.holdfast.replication.raft;

import java.util.List;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcFactory;
import org.apache.ratis.grpc.server.GrpcLogAppender;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.rpc.RpcFactory;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.leader.FollowerInfo;
import org.apache.ratis.server.leader.LeaderState;
import org.apache.ratis.server.leader.LogAppender;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLogIOException;
import org.jspecify.annotations.Nullable;

/**
 * gRPC as Ratis has it, with a leader that tells each follower of a commit at once.
 *
 * <p>A follower applies an entry, and can acknowledge it to the other site, when it hears that it is
 * committed. Ratis (3.3.0) tells that with the next entry or heartbeat; the entry may be one that it logs
 * after each commit for nothing else ({@code log-metadata}), which every member has to flush before it
 * hears. That entry is switched off ({@link RaftHost}). Its appenders wake when something was committed,
 * find nothing to append, and send nothing: here they send an empty request, once for each commit.
 *
 * <p>It names the entry before it, like every request with entries does, also while others are under way:
 * a stream keeps their order, so the follower has that entry by then. It may not have flushed it, and then
 * passes the news over: it is told once more when it has answered that it has. Ratis makes this by its
 * class name.
 */
public final class PromptGrpc implements RpcType {
    @Override
    public String name() {
        return PromptGrpc.class.getName();
    }

    @Override
    public RpcFactory newFactory(Parameters parameters) {
        return new GrpcFactory(parameters) {
            @Override
            public LogAppender newLogAppender(
                    RaftServer.Division server, LeaderState state, FollowerInfo follower) {
                return new Appender(server, state, follower);
            }
        };
    }

    /** How far the leader has committed, and the follower flushed. */
    private record Progress(long committed, long flushed) {
        static final Progress NONE = new Progress(-1, -1);

        /** What the follower can commit. */
        long both() {
            return Math.min(committed, flushed);
        }
    }

    /** All but its construction runs on the thread of this appender. */
    private static final class Appender extends GrpcLogAppender {
        /** The newest commit that was told; one that gets lost is told again by the next heartbeat. */
        private long told = -1;

        /** The same, told when the follower had flushed it. */
        private long heard = -1;

        /** When a request was made last, or there was nothing to request. */
        private Progress seen = Progress.NONE;

        Appender(RaftServer.Division server, LeaderState state, FollowerInfo follower) {
            super(server, state, follower);
        }

        private Progress progress() {
            return new Progress(
                    getRaftLog().getLastCommittedIndex(), getFollower().getMatchIndex());
        }

        private boolean isNews(Progress now) {
            return now.committed() > told
                    || now.both() > Math.max(heard, getFollower().getCommitIndex());
        }

        @Override
        public @Nullable AppendEntriesRequestProto newAppendEntriesRequest(
                long callId, boolean heartbeat) throws RaftLogIOException {
            Progress now = progress();
            seen = now;
            AppendEntriesRequestProto request = super.newAppendEntriesRequest(callId, heartbeat);
            if (request == null && isNews(now)) {
                TermIndex previous = getPrevious(getFollower().getNextIndex());
                if (previous != null) {
                    request =
                            getLeaderState()
                                    .newAppendEntriesRequestProto(
                                            getFollower(), List.of(), previous, callId);
                }
            }
            if (request != null) {
                told = Math.max(told, request.getLeaderCommit());
                heard = Math.max(heard, Math.min(request.getLeaderCommit(), now.flushed()));
            }
            return request;
        }

        /** Nobody wakes it for what happened while it was awake, so it looks before it sleeps. */
        @Override
        public long getWaitTimeMs() {
            Progress now = progress();
            return isNews(now) && !now.equals(seen) ? 0 : super.getWaitTimeMs();
        }
    }
}
