"""What operators cost beside a network of the size of CelebA-HQ's: results/operators.jsonl.

A row an operator at 256 x 256, and one for an evaluation of the network. Medians; all on the same threads in
the same run, one picture of three channels."""
import statistics
import time
import warnings
from pathlib import Path

import torch
from fastcore.script import call_parse

from ddnm_nb.images import whole_file
from ddnm_nb.operators import AveragePooling, Denoising, Grayscale, Inpainting, LinearMap
from ddnm_nb.records import append_row, machine
from ddnm_nb.spectral import (
    BlockSensing,
    FFTBlur,
    HadamardSensing,
    Separable,
    average_matrix,
    bicubic_matrix,
    convolution_matrix,
    gaussian_kernel,
)
from ddnm_nb.unet import UNet

N = 256
HOLE = (torch.rand(1, 1, N, N, generator=torch.Generator().manual_seed(0)) > .3).float()
TRIANGLE = torch.ones(5, 7).tril()/20
THREE = torch.tensor([1., 4., 1.])/6

def reflecting(std): return convolution_matrix(N, gaussian_kernel(std), 'reflect')
def every_second_line(x): return (x + x.roll(1, -1))[..., ::2, :]/2

OPERATORS = {
    'mask': lambda: Inpainting(HOLE),
    'denoising': Denoising,
    'grey': Grayscale,
    'pool 4': lambda: AveragePooling(4),
    'pool 4, separable': lambda: Separable(average_matrix(N, 4)),
    'bicubic 4': lambda: Separable(bicubic_matrix(N, 4)),
    'uniform blur 9': lambda: Separable(convolution_matrix(N, torch.ones(9)/9)),
    'Gaussian blur 3': lambda: Separable(reflecting(3.)),
    'Gaussian blur 1 and 6': lambda: Separable(reflecting(1.), reflecting(6.)),
    'any kernel': lambda: FFTBlur(TRIANGLE, (N, N)),
    'Hadamard': lambda: HadamardSensing((N, N)),
    'blocks of 16': lambda: BlockSensing(16),
    'blocks of 32': lambda: BlockSensing(32),
    'pool 4 @ grey @ mask': lambda: AveragePooling(4)@Grayscale()@Inpainting(HOLE),
    'mask @ three-pixel blur': lambda: Inpainting(HOLE)@FFTBlur(THREE.outer(THREE), (N, N)),
    'a function (every second line)': lambda: LinearMap(every_second_line, (3, N, N)),
}

def seconds(f, rounds):
    "Seconds of one call, the median after one to warm up."
    f()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return statistics.median(times)

@call_parse
def main(
    out:str=str(Path(__file__).parents[1]/'results'/'operators.jsonl'), # file to write
    rounds:int=5, # of each measurement
    evaluations:int=3, # of the network
):
    "Time every operator, and the network."
    x = torch.rand(1, 3, N, N, generator=torch.Generator().manual_seed(1))*2 - 1
    network = UNet().eval().requires_grad_(False)
    one = seconds(lambda: network(x, torch.tensor([500])), evaluations)
    net = dict(name='CelebA-HQ size', parameters=sum(p.numel() for p in network.parameters()))
    about = dict(size=N, machine=machine(), torch=torch.__version__)
    with whole_file(out) as path, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        append_row(path, what='network', **net, seconds=one, **about)
        for name, make in OPERATORS.items():
            A = make()
            def there_and_back(A=A): return A.pinv(A(x))
            told.clear()
            row = dict(what='operator', name=name, spectrum=hasattr(A, 'singular_values'))
            row |= dict(build=seconds(make, rounds), seconds=seconds(there_and_back, rounds))
            row |= dict(share=row['seconds']/one, exact=not told)
            append_row(path, **row, **about)
            print(row, flush=True)
