using System.Net;
using Amazon.Runtime;

namespace Inferloop.Tests.Aws.Fidelity;

/// <summary>An HTTP client that keeps the request it was given and answers with what it was told.</summary>
internal sealed class WireRecorder : HttpClientFactory
{
    public List<RecordedRequest> Requests { get; } = [];

    public Func<RecordedRequest, RecordedAnswer> Answer { get; set; } = _ => new RecordedAnswer(HttpStatusCode.OK, "application/x-amz-json-1.1", []);

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(this));

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;

    private sealed class Handler(WireRecorder recorder) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            byte[] body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
            Dictionary<string, string> headers = request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? [])
                .ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase);
            RecordedRequest recorded = new(request.Method.Method, request.RequestUri!, headers, body);
            lock (recorder.Requests)
            {
                recorder.Requests.Add(recorded);
            }

            RecordedAnswer answer = recorder.Answer(recorded);
            HttpResponseMessage response = new(answer.Status) { Content = new ByteArrayContent(answer.Body), RequestMessage = request };
            response.Content.Headers.TryAddWithoutValidation("Content-Type", answer.ContentType);
            foreach ((string name, string value) in answer.Headers ?? new Dictionary<string, string>())
            {
                response.Headers.TryAddWithoutValidation(name, value);
            }

            return response;
        }
    }
}

internal sealed record RecordedRequest(string Method, Uri Uri, IReadOnlyDictionary<string, string> Headers, byte[] Body);

internal sealed record RecordedAnswer(HttpStatusCode Status, string ContentType, byte[] Body, IReadOnlyDictionary<string, string>? Headers = null);
