namespace Inferloop.Operations.Specs;

/// <summary>What an environment is for. It picks the preset; it never decides whether data is encrypted.</summary>
public enum EnvironmentStage
{
    /// <summary>One engineer's or a team's playground: small, on spot capacity, one NAT gateway, nothing retained.</summary>
    Dev,

    /// <summary>The rehearsal of production: on-demand capacity, two tasks, one NAT gateway.</summary>
    Staging,

    /// <summary>Production: a NAT gateway in each zone, deletion protection, data retained.</summary>
    Prod,
}

/// <summary>What the application runs on: which of the parts a new spec begins with. Each part is a switch of its own afterwards.</summary>
public enum DeploymentPattern
{
    /// <summary>ECS behind a load balancer, with database and cache.</summary>
    Container,

    /// <summary>A Lambda function called by an HTTP API, new objects and new items; bucket and table, no database, no cache.</summary>
    Serverless,

    /// <summary>A Kubernetes cluster on EKS, with database and cache.</summary>
    Kubernetes,

    /// <summary>All of it: ECS, EKS, Lambda and Batch, with database and cache.</summary>
    Full,
}

/// <summary>The service tiers of the application; each gives a size and a range of replicas.</summary>
public enum ServiceTier
{
    /// <summary>0.5 vCPU, 1 GiB, 1 to 3 replicas.</summary>
    Starter,

    /// <summary>1 vCPU, 2 GiB, 2 to 10 replicas.</summary>
    Professional,

    /// <summary>2 vCPU, 4 GiB, 3 to 50 replicas.</summary>
    Business,

    /// <summary>4 vCPU, 8 GiB, 5 to 100 replicas.</summary>
    Enterprise,
}

/// <summary>How many NAT gateways carry the private subnets' outbound traffic.</summary>
public enum NatGatewayMode
{
    /// <summary>One gateway for both zones: cheaper; a zone failure can take outbound access with it.</summary>
    Single,

    /// <summary>One gateway in each zone.</summary>
    PerAz,
}

/// <summary>What the tasks run on.</summary>
public enum CapacityMode
{
    /// <summary>Fargate, on demand.</summary>
    Fargate,

    /// <summary>Fargate Spot: about 70 % cheaper, interruptible with two minutes' notice.</summary>
    FargateSpot,

    /// <summary>Container instances of the environment's own Auto Scaling group.</summary>
    Ec2,

    /// <summary>Two tasks and half of the rest on Fargate, the other half on Fargate Spot, with container instances for jobs that ask for them.</summary>
    Mixed,
}

/// <summary>Which key encrypts the bucket. There is no value for "none".</summary>
public enum BucketEncryption
{
    /// <summary>S3's own keys.</summary>
    AES256,

    /// <summary>The environment's KMS key.</summary>
    KMS,
}

/// <summary>How much CloudWatch Container Insights collects.</summary>
public enum ContainerInsightsMode
{
    /// <summary>Cluster, service and task metrics.</summary>
    Enabled,

    /// <summary>Down to the container, priced per observed entity.</summary>
    Enhanced,

    /// <summary>Nothing.</summary>
    Disabled,
}

/// <summary>The application's log level.</summary>
public enum ApplicationLogLevel
{
    /// <summary>Everything.</summary>
    Debug,

    /// <summary>The normal level.</summary>
    Info,

    /// <summary>Only what deserves attention.</summary>
    Warning,

    /// <summary>Only failures.</summary>
    Error,

    /// <summary>Only what stops the application.</summary>
    Critical,
}

/// <summary>How the application signs its tokens.</summary>
public enum JwtAlgorithm
{
    /// <summary>HMAC with SHA-256.</summary>
    HS256,

    /// <summary>HMAC with SHA-384.</summary>
    HS384,

    /// <summary>HMAC with SHA-512.</summary>
    HS512,
}

/// <summary>How the jobs table's capacity is paid for.</summary>
public enum TableBillingMode
{
    /// <summary>By request.</summary>
    OnDemand,

    /// <summary>By the hour, for units that scale with use.</summary>
    Provisioned,
}

/// <summary>Runtimes of a function's package; those that Lambda still creates functions for.</summary>
public enum LambdaRuntime
{
    /// <summary>python3.12.</summary>
    Python312,

    /// <summary>python3.13.</summary>
    Python313,

    /// <summary>python3.14.</summary>
    Python314,
}

/// <summary>Instruction sets of a function.</summary>
public enum LambdaArchitecture
{
    /// <summary>x86_64.</summary>
    X8664,

    /// <summary>arm64: a fifth cheaper; Lambda Insights' layer is not for it.</summary>
    Arm64,
}

/// <summary>What of scaling rests, until it is resumed.</summary>
public enum ScalingSuspension
{
    /// <summary>Nothing does.</summary>
    None,

    /// <summary>Nothing is taken away by policies.</summary>
    In,

    /// <summary>Nothing is added by policies.</summary>
    Out,

    /// <summary>Policies neither add nor take away.</summary>
    Dynamic,

    /// <summary>The schedule does not change the bounds.</summary>
    Scheduled,

    /// <summary>Neither policies nor the schedule do anything.</summary>
    All,
}
