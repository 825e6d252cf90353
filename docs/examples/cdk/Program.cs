// An environment as a CDK app. `cdk deploy` runs it (cdk.json says how); without the cdk command, `dotnet run -- cdk.out` synthesises.
using Amazon.CDK;
using Inferloop.Cdk;
using Inferloop.Operations.Specs;

var app = new App(new AppProps { Outdir = args.FirstOrDefault(), AnalyticsReporting = false });

// A file of New-InferloopEnvironmentSpec | Export-InferloopEnvironmentSpec, or a stage's preset changed where it has to be.
var spec = args.Length > 1
    ? InferloopSpecs.FromFile(args[1])
    : InferloopSpecs.ForStage("demo", EnvironmentStage.Dev, "us-east-1");
spec = spec with { Application = spec.Application with { ContainerImage = "inferloop/synthdata:1.4.0" } };

var stack = new InferloopStack(app, spec);

// What the environment gives can be used by constructs of your own.
_ = new CfnOutput(stack, "Bucket", new CfnOutputProps { Value = stack.Platform.GetOutput("BucketName"), Description = "Where jobs put their output" });

app.Synth();
